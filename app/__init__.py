"""HTTP in, handwritten digits out. Imports no torch on the default path."""

__version__ = "0.1.0"
