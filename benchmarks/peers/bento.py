"""BentoML: one worker, no log line per request; start it with `bentoml serve`.

Source: https://docs.bentoml.com/en/latest/build-with-bentoml/services.html
"""

from typing import Annotated

import bentoml
from bentoml.validators import ContentType
from PIL.Image import Image
from pydantic import Field

from benchmarks.peers.decoder import DIGITS, Decoder


@bentoml.service(
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Digits:
    """The digits service."""

    def __init__(self) -> None:
        self.decoder = Decoder()

    @bentoml.api
    def generate(
        self, digits: Annotated[str, Field(pattern=DIGITS)]
    ) -> Annotated[Image, ContentType("image/png")]:
        """One line of digits as a PNG."""
        return self.decoder.draw(digits)
