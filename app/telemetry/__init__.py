"""Counts, logs and traces every request; changes no answer."""
