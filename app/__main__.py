"""`python -m app`: serve."""

import sys

import uvicorn

from app.main import create_app
from app.settings import read_settings

KEEP_ALIVE_S = 65  # longer than the usual 60 s of proxies, which must be the first to close


def main() -> None:
    """Serve until a signal; exits non-zero, with one sentence, when the start fails."""
    settings = read_settings(sys.argv[1:])
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
    )


if __name__ == "__main__":
    main()
