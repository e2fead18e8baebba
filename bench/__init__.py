"""Benchmarks: Countersign beside a yardstick, in one run, on one machine (README.md)."""
