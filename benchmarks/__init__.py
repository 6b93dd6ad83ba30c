"""Side-by-side measurements of the service and of what others would build; `make bench`."""

DIGITS = "2018"  # what everybody is asked for
SEED = 13  # where a picture must be the same each time
