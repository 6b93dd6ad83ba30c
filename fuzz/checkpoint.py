"""The files of a checkpoint folder that are parsed: config.json, the metrics, the weights."""

import json

import numpy as np
import safetensors.numpy
from pydantic_core import from_json

from model import checkpoint
from model.checkpoint import CONFIG, METRICS, PRETRAINED
from model.config import CVAEConfig
from model.content import CheckpointError, check_weights, parse_object

TINY = CVAEConfig(image_height=2, image_width=2, classes=2, hidden=(2,), latent=1, conditional=True)
SENTENCE_LIMIT = 1_000  # characters
MANIFEST, SIGNED, PARSED, WEIGHTS = range(4)  # the first byte


def seeds() -> list[bytes]:
    """A valid file of each kind."""
    config = (PRETRAINED / CONFIG).read_bytes()
    weights = {name: np.ones(shape, np.float32) for name, shape in TINY.weight_shapes().items()}
    return [
        bytes([MANIFEST]) + config,
        bytes([SIGNED]) + config,
        bytes([PARSED]) + b'{"history": [{"epoch": 1, "loss": 1.5e2}], "none": null}',
        *(
            bytes([PARSED]) + b'{"a": {"b": [%b]}}' % value
            for value in (b"NaN", b"-1e999", b'"\\ud800"', b"1" * 400, b'"\xc3\xa9"')
        ),
        bytes([WEIGHTS]) + safetensors.numpy.save(weights),
    ]


def try_bytes(data: bytes) -> None:
    """A file is refused with `CheckpointError`, in one line, or can be shown as JSON."""
    kind, content = data[:1], data[1:]
    try:
        _read(kind[0] % 4 if kind else MANIFEST, content)
    except CheckpointError as error:
        if "\n" in str(error) or len(str(error)) > SENTENCE_LIMIT:
            raise AssertionError(str(error)) from error


def _read(kind: int, content: bytes) -> None:
    if kind == WEIGHTS:
        check_weights(checkpoint.WEIGHTS, content, TINY.weight_shapes())
    elif kind == PARSED:
        json.dumps(parse_object(METRICS, content), allow_nan=False).encode()
    else:
        manifest = checkpoint._parse_manifest(_signed(content) if kind == SIGNED else content)
        manifest.architecture.weight_shapes()
        json.dumps(manifest.model_dump(mode="json"), allow_nan=False).encode()


def _signed(content: bytes) -> bytes:
    """A config.json with the hash of its own content, as somebody would make it by hand."""
    try:
        document = from_json(content)
        document["sha256"][CONFIG] = checkpoint._manifest_digest(document)
        return json.dumps(document).encode()
    except (ValueError, TypeError, KeyError, AttributeError):
        return content
