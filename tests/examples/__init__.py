"""Tests of the example functions, alone and on AWS's local runner."""

import tests.client  # noqa: F401 - puts the client where the examples import it from
