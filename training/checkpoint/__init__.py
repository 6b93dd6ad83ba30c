"""Writes the network of a finished run as a checkpoint folder, with metrics and model card."""
