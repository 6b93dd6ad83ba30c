"""The whole way, by real processes: train on real digits, save, serve, draw."""

import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image

from model.checkpoint import PRETRAINED, read_checkpoint
from tests.conftest import ROOT

Serve = Callable[..., AbstractContextManager[str]]


def test_train_save_serve_draw(serve: Serve, mnist_slice: Path, tmp_path: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "training", "--epochs", "3", "--accelerator", "cpu"),
            *("--hidden", "64,32", "--latent", "8", "--no-evaluate"),
            *("--data-dir", str(mnist_slice), "--run-dir", str(tmp_path)),
        ],
        cwd=ROOT,
        check=True,
    )
    checkpoint = read_checkpoint(tmp_path / "checkpoint")
    with serve(CVAE_CHECKPOINT=str(checkpoint.folder)) as address:
        with urlopen(f"{address}/generate?digits=0123456789&seed=7") as answer:
            picture = Image.open(io.BytesIO(answer.read()))
        assert picture.size == (280, 28)
        assert picture.info["model"] == checkpoint.model_hash
        assert checkpoint.model_hash != read_checkpoint(PRETRAINED).model_hash


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_process_draws_what_another_drew(serve: Serve, engine: str) -> None:
    drawn = []
    for _ in range(2):
        with (
            serve(CVAE_ENGINE=engine) as address,
            urlopen(f"{address}/generate?digits=2018&seed=7") as answer,
        ):
            drawn.append(answer.read())
    assert drawn[0] == drawn[1]


def test_bad_request_over_a_real_server(serve: Serve) -> None:
    with serve() as address, pytest.raises(HTTPError) as caught:
        urlopen(f"{address}/generate?digits=abc")
    with caught.value as answer:
        assert answer.code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"]
