"""The portal under fire: real programs, a stand-in of Lambda that records, and a checker.

`make chaos` runs a storm and ends with a count and an exit status; tests/chaos/storms.py
says which storms there are.
"""
