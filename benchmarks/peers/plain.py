"""FastAPI + torch + Pillow, as most people would write it.

The endpoint is a plain `def`, as FastAPI's documentation has it for work that blocks.
Source: https://fastapi.tiangolo.com/async/
"""

import sys
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Query, Response

from benchmarks.peers.decoder import DIGITS, Decoder, png

app = FastAPI()
decoder = Decoder()


@app.get("/generate")
def generate(digits: Annotated[str, Query(pattern=DIGITS)]) -> Response:
    """One line of digits as a PNG."""
    return Response(png(decoder.draw(digits)), media_type="image/png")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False)
