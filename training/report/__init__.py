"""The report of a run: what was learned, as one page and as pictures, made in seconds."""
