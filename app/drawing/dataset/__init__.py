"""Data sets: which numbers, how they are drawn, and the forms in which pipelines take them."""
