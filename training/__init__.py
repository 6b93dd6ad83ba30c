"""Offline training of the CVAE on MNIST. Hands the service a checkpoint folder, nothing else."""
