"""An order that a person releases: validate, ask, wait, ship or cancel."""
