"""Builds the files of the page, for the service and for any static host.

Most files are sent as they are in `web`. Some depend on the model and on the host: the weights,
the links to the card, the weights and the API, and the version in the service worker.
"""

import hashlib
import html
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urljoin

from app.drawing.renderer import Renderer
from app.request.queries import Queries
from app.site.article import ARTICLE
from app.site.documents import documents
from app.site.file import HASHED, INDEX, POLICY, WORKER, PageFile
from app.site.latent import encoder_inputs, latent_space
from app.site.reader import rounded_reader
from app.site.rounding import ENCODER_STEPS, rounded_part
from model.checkpoint import ROUNDED_WEIGHTS

WEB = Path(__file__).parent / "web"
SIMPLE = Path(__file__).parent / "simple"  # the page for models of another alphabet
SHARED = ("page/page.css", "page/icon.svg", "page/photo.js", "service-worker.js")  # of both pages
LINKS = b"<!-- links -->"  # in index.html
PREVIEW = "page/preview.png"  # for pages that link to this one
API_CARD, STATIC_CARD = "model", "page/model.json"
# Scripts of other threads, which a preload for the page would not serve, and what few visits need.
DRAWING = ("worker", "box", "decoder", "directions")
READING = (
    *("local-reader", "reading-worker", "small-picture", "resample", "frame", "groups", "cutout"),
    *("reader-networks", "reader", "sight"),
)
NOT_PRELOADED = (WORKER, *(f"page/{name}.js" for name in DRAWING + READING))


def page_files(
    card: bytes,
    weights: bytes | None,
    served: bool,
    simple: bool = False,
    networks: Mapping[str, bytes] | None = None,
) -> dict[str, PageFile]:
    """All files of the page by name.

    Args:
        card: the model card as JSON, as in `GET /model`.
        weights: content of the rounded weights' safetensors file; None if the checkpoint has
            none, and the page requests each picture from the service.
        served: whether the service sends the page. If not, the card is one of the files, and the
            page disables what needs the API.
        simple: whether it is the page for models that do not write the digits of MNIST, for which
            the service draws.
        networks: what `shown_networks` found; without it the page shows less of the model.
    """
    files = _contents(WEB)
    if simple:
        files = {**{name: files[name] for name in SHARED}, **_contents(SIMPLE)}
    if weights is not None:
        files = {_hashed("decoder.safetensors", weights): weights, **files}
        files |= {_hashed(name, content): content for name, content in (networks or {}).items()}
    if not served:
        files[STATIC_CARD] = card
    files[INDEX] = files[INDEX].replace(LINKS, _links(files, served).encode())
    version = hashlib.sha256(card + b"".join(files.values())).hexdigest()[:16]
    cached = ["./", *(name for name in files if name.startswith("page/") and name != PREVIEW)]
    cached += [API_CARD] if served else []
    worker = files[WORKER].decode().replace("{{version}}", f"cvae-digits-{version}")
    files[WORKER] = worker.replace("{{files}}", json.dumps(cached)).encode()
    files |= {} if simple else documents()  # not for offline use: the page links to them
    return {name: PageFile(name, content) for name, content in files.items()}


def is_simple(renderer: Renderer) -> bool:
    """Whether a model needs the simple page."""
    return renderer.queries != Queries()


def _contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their relative names."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def shown_networks(renderer: Renderer) -> dict[str, bytes]:
    """What the page explains the model with: name -> content of a file.

    Raises:
        CheckpointError: the weights have changed since the checkpoint was read.
    """
    generator = renderer.generator
    inputs, reader = encoder_inputs(generator), rounded_reader(renderer.checkpoint)
    return {
        "encoder.safetensors": rounded_part(renderer.checkpoint, "encoder", ENCODER_STEPS, inputs),
        "article.safetensors": ARTICLE.read_bytes(),
        "latent.json": latent_space(generator),
        **({} if reader is None else {"reader.safetensors": reader}),
    }


def with_address(index: PageFile, address: str) -> PageFile:
    """The page with the full address of its preview: most sites follow no relative one.

    Args:
        index: the page.
        address: where it will be.
    """
    relative = f'content="{PREVIEW}"'
    full = f'content="{html.escape(urljoin(address.rstrip("/") + "/", PREVIEW))}"'
    return PageFile(index.name, index.content.decode().replace(relative, full).encode())


def _hashed(name: str, content: bytes) -> str:
    """The path of a file whose content never changes under it."""
    stem, _, ending = name.partition(".")
    return f"page/{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"


def _links(names: Iterable[str], served: bool) -> str:
    """Elements of the head that tell the scripts where things are, and preload them."""
    preload = 'rel="preload" as="fetch" crossorigin'
    lines = [f'<link id="card" {preload} href="{API_CARD if served else STATIC_CARD}">']
    if served:
        lines.append('<link id="service" rel="service" href="./">')
    else:
        lines.insert(0, f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">')
    for name in names:
        if HASHED.fullmatch(name):
            lines.append(_network_link(name, preload))
        elif name.endswith(".js") and name not in NOT_PRELOADED:
            lines.append(f'<link rel="modulepreload" href="{name}">')
    return "\n    ".join(lines)


def _network_link(name: str, preload: str) -> str:
    """The decoder is needed at once, everything else when its part of the page comes into view."""
    stem = name.removeprefix("page/").partition("-")[0]
    if stem == "decoder":
        return f'<link id="weights" {preload} href="{name}">'
    return f'<link id="{stem}" rel="x-{stem}" href="{name}">'


def rounded_weights(renderer: Renderer) -> bytes | None:
    """Content of the rounded weights' file of a checkpoint; None if it has none.

    Raises:
        CheckpointError: the file has changed since the checkpoint was read.
    """
    checkpoint = renderer.checkpoint
    has_weights = ROUNDED_WEIGHTS in checkpoint.manifest.sha256
    return checkpoint.content(ROUNDED_WEIGHTS) if has_weights else None


def write_page(folder: Path, files: Mapping[str, PageFile]) -> None:
    """Write the page to a folder, and replace an older page there.

    Raises:
        OSError: the folder contains something else, or cannot be written.
    """
    if folder.exists():
        if any(folder.iterdir()) and not (folder / STATIC_CARD).is_file():
            raise OSError(
                f"The page was not written, because the folder {folder} is neither empty nor a "
                "page; choose another folder or remove this one."
            )
        shutil.rmtree(folder)
    for name, file in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
