"""AWS's own local runner, and the endpoint at which it invokes the example functions."""
