"""`python -m app`: serve."""

import sys

from app.server.serve import serve
from app.settings import read_settings

if __name__ == "__main__":
    serve("app.main:app", read_settings(sys.argv[1:]))
