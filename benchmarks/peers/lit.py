"""LitServe: one worker, its fast queue, no log line per request.

Source: https://lightning.ai/docs/litserve/api-reference/litserver
"""

import sys

import litserve
from fastapi import Response
from PIL import Image

from benchmarks.peers.decoder import Decoder, png


class Digits(litserve.LitAPI):
    """Request to digits, digits to picture, picture to response."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - the name is the framework's
        """Load the decoder in the worker."""
        self.decoder = Decoder()

    def decode_request(self, request: dict[str, str]) -> str:
        """The digits asked for."""
        return request["digits"]

    def predict(self, x: str) -> Image.Image:
        """The picture."""
        return self.decoder.draw(x)

    def encode_response(self, output: Image.Image) -> Response:
        """The PNG."""
        return Response(png(output), media_type="image/png")


if __name__ == "__main__":
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
