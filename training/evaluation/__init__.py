"""Measures the quality of a checkpoint. Nothing here steers training."""
