"""A query or an uploaded picture in, the bytes of a file out. Knows no HTTP."""
