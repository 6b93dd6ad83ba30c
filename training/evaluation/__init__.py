"""Measures of the quality of a checkpoint. None of them steers training."""
