"""Coverage-guided fuzzing of what reads the bytes of others.

Each target is a file with a function `try_bytes`, whose every exception is a finding, and `seeds`,
with which the search begins.
"""
