"""`python rehearse.py HASH`: starts the service and requests everything that it offers.

Runs while the image is built. The build fails if slim.py removed something that is needed, or if
the checkpoint does not have the hash that the image's label names. The byte code of all imports
lands under PYTHONPYCACHEPREFIX and stays in the image: a read-only file system cannot store it,
and a start without it takes twice as long.

It has its own few lines to start the service, because the image contains no other package of the
project, and no byte code of one.
"""

import io
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from PIL import Image

START_LIMIT_S = 60
PRECISIONS = ("int8", "float")
UPLOADS = ("PNG", "JPEG", "WEBP")
PAGES = ("/docs", "/openapi.json", "/metrics", "/")


def wait_until_ready(service: subprocess.Popen[bytes], address: str) -> None:
    """Wait for the service.

    Raises:
        SystemExit: it ended, or was not ready in time.
    """
    limit = time.monotonic() + START_LIMIT_S
    while service.poll() is None and time.monotonic() < limit:
        try:
            urlopen(f"{address}/readyz").close()
            return
        except URLError:
            time.sleep(0.05)
    raise SystemExit("The service in the image does not start; its log is above.")


def requests_of(contract: dict[str, Any], address: str) -> Iterator[Request]:
    """A request for each operation of the OpenAPI document, in each of its formats."""
    for path, operations in contract["paths"].items():
        for method, operation in operations.items():
            parameters = operation.get("parameters", ())
            schemas = {each["name"]: each["schema"] for each in parameters}
            needed = {
                each["name"]: each["schema"]["examples"][0]
                for each in parameters
                if each["required"] or each["name"] == "digits"  # or text
            }
            formats = [{"format": name} for name in schemas.get("format", {}).get("enum", ())]
            for chosen in formats or [{}]:
                query = urlencode({**needed, **chosen})
                target = f"{path}?{query}".rstrip("?")
                if method == "get":
                    yield Request(address + target)
                else:
                    yield from uploads(address, target)


def uploads(address: str, target: str) -> Iterator[Request]:
    """A digit, posted as each kind of picture that may be uploaded."""
    with urlopen(f"{address}/generate?digits=7&scale=4&seed=1") as answer:
        digit = Image.open(io.BytesIO(answer.read()))
    for kind in UPLOADS:
        body = io.BytesIO()
        digit.save(body, kind)
        yield Request(address + target, body.getvalue(), {"Content-Type": f"image/{kind.lower()}"})


def rehearse(address: str, model_hash: str) -> int:
    """Send all requests, and return their number.

    Raises:
        HTTPError: one was refused.
        SystemExit: the checkpoint has another hash.
    """
    with urlopen(f"{address}/openapi.json") as answer:
        contract = json.load(answer)
    with urlopen(f"{address}/generate?digits=2018") as answer:
        found = Image.open(io.BytesIO(answer.read())).info["model"]
    if found != model_hash:
        raise SystemExit(
            f"The checkpoint in model/pretrained has the hash {found}, the Dockerfile says "
            f"{model_hash}; write {found} there, as the default of MODEL_HASH."
        )
    requests = [*requests_of(contract, address), *(Request(f"{address}{page}") for page in PAGES)]
    for request in requests:
        urlopen(request).close()
    return len(requests)


def free_port() -> int:
    """A port on which nothing listens; a build may share the network of its machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(model_hash: str) -> None:
    """Rehearse with both decoders of the checkpoint."""
    for precision in PRECISIONS:
        port = str(free_port())
        command = [sys.executable, "-m", "app", "--port", port, "--precision", precision]
        service = subprocess.Popen(command)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(service, address)
            sys.stdout.write(f"rehearse: {precision}, {rehearse(address, model_hash)} answers\n")
        finally:
            service.terminate()
            service.wait(START_LIMIT_S)


if __name__ == "__main__":
    main(sys.argv[1])
