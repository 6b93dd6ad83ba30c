"""`make torture`: what the service promises, held against a real one under load and faults."""
