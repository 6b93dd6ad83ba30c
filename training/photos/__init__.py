"""Pictures as people take them of a handwritten digit, and the networks that read these."""
