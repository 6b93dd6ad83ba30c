"""The page as files: for the service, and `python -m app.site FOLDER` for any other host.

The files are in app/site/web. Filled in here: the links to the model's card and weights, whether
there is an API, and a version.
"""

import gzip
import hashlib
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.drawing.renderer import Renderer, open_renderer
from app.settings import read_settings
from model.checkpoint import ROUNDED_WEIGHTS, CheckpointError
from model.engine import EngineError

WEB = Path(__file__).parent / "web"
INDEX, WORKER = "index.html", "service-worker.js"
LINKS = "<!-- links -->"  # the place in index.html
API_CARD, FILED_CARD = "model", "page/model.json"
ON_THREADS = ("page/worker.js", "page/decoder.js", "page/directions.js")
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; style-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
HEADER_POLICY = f"{POLICY}; frame-ancestors 'none'"  # this last word counts only in a header
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class PageFile:
    """One file of the page."""

    name: str  # its path below the page's address
    content: bytes

    @property
    def media_type(self) -> str:
        """Its Content-Type."""
        return MEDIA_TYPES[Path(self.name).suffix]

    @property
    def lasting(self) -> bool:
        """Whether its name says its content, so that it may be kept for ever."""
        return self.name.endswith(".safetensors")

    @cached_property
    def digest(self) -> str:
        """24 hex digits that name its content."""
        return hashlib.sha256(self.content).hexdigest()[:24]

    @cached_property
    def packed(self) -> bytes | None:
        """Its content in gzip; None where that is no smaller."""
        packed = gzip.compress(self.content, compresslevel=9, mtime=0)
        return packed if len(packed) < len(self.content) else None


def page_files(card: bytes, weights: bytes | None, served: bool) -> dict[str, PageFile]:
    """All files of the page by name.

    Args:
        card: the model card as JSON, as `GET /model` has it.
        weights: the rounded decoder's safetensors file; None where the checkpoint has none, and
            the page asks the service for each picture.
        served: whether the service sends the page; if not, the card becomes a file, and what
            needs the API says so.
    """
    files = {
        path.relative_to(WEB).as_posix(): path.read_bytes()
        for path in sorted(WEB.rglob("*"))
        if path.is_file()
    }
    if weights is not None:
        digest = hashlib.sha256(weights).hexdigest()[:16]
        files[f"page/decoder-{digest}.safetensors"] = weights
    if not served:
        files[FILED_CARD] = card
    files[INDEX] = files[INDEX].replace(LINKS.encode(), _links(files, served).encode())
    version = hashlib.sha256(card + b"".join(files.values())).hexdigest()[:16]
    kept = ["./", *(name for name in files if name.startswith("page/"))]
    kept += [API_CARD] if served else []
    listed = "[" + ", ".join(f'"{name}"' for name in kept) + "]"
    worker = files[WORKER].decode().replace("{{version}}", f"cvae-digits-{version}")
    files[WORKER] = worker.replace("{{files}}", listed).encode()
    return {name: PageFile(name, content) for name, content in files.items()}


def _links(files: Mapping[str, bytes], served: bool) -> str:
    """The lines of the head that say where things are, and let the browser fetch them early."""
    early = 'rel="preload" as="fetch" crossorigin'
    lines = [f'<link id="card" {early} href="{API_CARD if served else FILED_CARD}">']
    lines += [f'<link id="weights" {early} href="{name}">' for name in files if "/decoder-" in name]
    if served:
        lines.append('<link id="service" rel="service" href="./">')
    else:
        lines.insert(0, f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">')
    scripts = [name for name in files if name.startswith("page/") and name.endswith(".js")]
    lines += [f'<link rel="modulepreload" href="{name}">' for name in scripts if _is_module(name)]
    return "\n    ".join(lines)


def _is_module(name: str) -> bool:
    """Whether the page itself runs it; what the worker runs is not shared with the page."""
    return name not in ON_THREADS


def rounded_weights(renderer: Renderer) -> bytes | None:
    """The file of a checkpoint's rounded weights, where it has one.

    Raises:
        CheckpointError: it was written over since it was read.
    """
    if ROUNDED_WEIGHTS not in renderer.checkpoint.manifest.sha256:
        return None
    return renderer.checkpoint.content(ROUNDED_WEIGHTS)


def write_page(folder: Path, files: Mapping[str, PageFile]) -> None:
    """Write the page into a folder; an older page there is replaced.

    Raises:
        OSError: the folder holds something else, or cannot be written.
    """
    if folder.exists():
        if any(folder.iterdir()) and not (folder / WORKER).is_file():
            raise OSError(
                f"The folder {folder} is neither empty nor a page, so nothing was written; "
                "choose another folder or remove this one."
            )
        shutil.rmtree(folder)
    for name, file in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file.content)


def main(arguments: list[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed, 2 wrong argument."""
    from app.drawing.card import describe

    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m app.site.build FOLDER", file=sys.stderr)  # noqa: T201 - a command
        return 2
    try:
        settings = read_settings()
        renderer = open_renderer(settings.checkpoint, settings.engine, settings.precision)
        weights = rounded_weights(renderer)
        if weights is None:
            raise CheckpointError(
                f"The checkpoint {renderer.checkpoint.folder} has no {ROUNDED_WEIGHTS}, which a "
                "page without a service draws with; write it again with `python -m training`."
            )
        card = describe(renderer).model_dump_json().encode()
        write_page(Path(arguments[0]), page_files(card, weights, served=False))
    except (CheckpointError, EngineError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
