"""An agent whose refund waits for a person, and whose earlier step is undone if refused."""
