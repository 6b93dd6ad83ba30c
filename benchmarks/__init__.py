"""`make bench`: measures the service beside what others would build."""

DIGITS = "2018"  # what every service draws
SEED = 13  # where a picture must be the same each time
ENGINE = "engine and noise"  # alone: what data sets are compared with
