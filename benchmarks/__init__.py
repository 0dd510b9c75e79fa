"""Measure what the relay costs, beside what else there is: ``python -m benchmarks``."""
