"""The same service as others would build it, each by its framework's own documentation."""
