"""HTTP in, handwritten digits out. Imports no torch on the default path."""
