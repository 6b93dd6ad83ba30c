"""Trains the CVAE on MNIST and measures it. Gives the service a checkpoint folder, nothing else."""
