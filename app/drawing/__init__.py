"""A request in, bytes out. Knows no HTTP."""
