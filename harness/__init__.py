"""Starts services for tests, trials, benchmarks and documents. Needs the standard library only."""
