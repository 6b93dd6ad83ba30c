"""Measurements of the running service, each printing medians and ratios."""
