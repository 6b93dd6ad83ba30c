"""A client that a kept generator makes of our OpenAPI document draws with the real service."""

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings

Serve = Callable[..., AbstractContextManager[str]]
PACKAGE = "generated_digits_client"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """`api("drawing.generate")`: a module of the generated client."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(json.dumps(create_app(Settings()).openapi()))
    subprocess.run(
        [
            *(str(Path(sys.executable).with_name("openapi-python-client")), "generate"),
            *("--path", str(document), "--meta", "none"),
            *("--output-path", str(folder / PACKAGE)),
        ],
        check=True,
        capture_output=True,
    )
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def client(api: Callable[[str], Any], serve: Serve) -> Iterator[Any]:
    with serve() as address, api("client").Client(base_url=address) as client:
        yield client


def test_client_draws(api: Callable[[str], Any], client: Any) -> None:
    answer = api("api.drawing.generate").sync_detailed(
        client=client, digits="007", seed=7, rows=2, ink="1a237e"
    )
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (84, 56)
    assert Image.open(answer.parsed.payload).info["digits"] == "007"


def test_client_gets_the_error_body(api: Callable[[str], Any], client: Any) -> None:
    problem = api("api.drawing.generate").sync(client=client, digits="seven")
    assert problem.status == 422
    assert problem.errors[0].field == "digits"


def test_client_takes_a_data_set_home(api: Callable[[str], Any], client: Any) -> None:
    answer = api("api.drawing.dataset").sync_detailed(client=client, count=5, seed=1, length=2)
    assert answer.status_code == 200, answer.content
    assert np.load(io.BytesIO(answer.content))["images"].shape == (5, 28, 56)


def test_client_reads_the_model_card(api: Callable[[str], Any], client: Any) -> None:
    card = api("api.model.get_model").sync(client=client)
    assert card.architecture.classes == 10
    assert api("api.probes.live").sync(client=client)["status"] == "live"
