"""The command `cvae-digits`, and in an installed wheel the packages that it runs."""
