"""A finished run as a checkpoint folder, with its model card."""
