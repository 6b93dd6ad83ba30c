"""Finds the handwritten digits in a picture and reads them, with two small networks. No torch."""
