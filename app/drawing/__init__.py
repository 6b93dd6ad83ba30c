"""A query, an uploaded picture or a plan of a data set in, files out. Knows no HTTP."""
