import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from app.drawing.renderer import open_renderer
from app.site.__main__ import main
from app.site.build import PREVIEW, page_files, shown_networks, write_page
from app.site.documents import documents
from app.site.file import HEADER_POLICY, INDEX, WORKER
from model.checkpoint import (
    PAYLOAD,
    PRETRAINED,
    ROUNDED_WEIGHTS,
    Checkpoint,
    Provenance,
    write_checkpoint,
)

CARD = b'{"model": "0123456789abcdef"}'
MAX_BYTES = 1_500_000  # of the whole page with its weights, compressed


def test_served_page_links_to_the_api_and_its_weights() -> None:
    files = page_files(CARD, b"weights", served=True)
    index = files[INDEX].content.decode()
    assert 'id="card" rel="preload" as="fetch" crossorigin href="model"' in index
    assert 'id="service"' in index
    assert "Content-Security-Policy" not in index  # it is a header
    (weights,) = re.findall(r'id="weights".* href="(.*)"', index)
    assert files[weights].content == b"weights"
    assert files[weights].lasting
    assert not files[INDEX].lasting
    assert "page/model.json" not in files


def test_static_page_contains_its_card_and_its_policy() -> None:
    files = page_files(CARD, b"weights", served=False)
    index = files[INDEX].content.decode()
    assert files["page/model.json"].content == CARD
    assert 'href="page/model.json"' in index
    assert 'id="service"' not in index
    assert index.index("Content-Security-Policy") < index.index("<link")
    assert "frame-ancestors" not in index  # browsers report an error for it in a meta element


def test_page_without_weights_has_no_link_to_weights() -> None:
    files = page_files(CARD, None, served=True)
    assert 'id="weights"' not in files[INDEX].content.decode()
    assert not [name for name in files if name.endswith(".safetensors")]


def test_page_allows_no_inline_script_and_no_other_host() -> None:
    assert HEADER_POLICY.startswith("default-src 'none'; script-src 'self'")
    assert "frame-ancestors 'none'" in HEADER_POLICY
    assert "unsafe" not in HEADER_POLICY
    text = page_files(CARD, b"weights", served=True)[INDEX].content.decode()
    for part in ("<style", " style=", "<script>", "//"):
        assert part not in text


def test_every_link_of_the_page_leads_to_a_file() -> None:
    files = page_files(CARD, b"weights", served=False)
    linked = re.findall(
        r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', files[INDEX].content.decode()
    )
    assert len(linked) > 20
    assert set(linked) <= set(files)
    manifest = json.loads(files["page/manifest.webmanifest"].content)
    assert {f"page/{icon['src']}" for icon in manifest["icons"]} <= set(files)
    for name, file in files.items():
        for imported in re.findall(r'from "\./([^"]+)"', file.content.decode("latin-1")):
            assert f"page/{imported}" in files, (name, imported)


def test_page_has_a_picture_for_links_to_it() -> None:
    files = page_files(CARD, b"weights", served=True)
    index = files[INDEX].content.decode()
    found = dict(re.findall(r'<meta property="og:([a-z:]+)" content="([^"]+)">', index))
    assert found["title"] == "Type a number, get it handwritten"
    assert found["image"] == PREVIEW
    with Image.open(io.BytesIO(files[PREVIEW].content)) as image:
        assert image.size == (int(found["image:width"]), int(found["image:height"]))


def test_page_links_to_the_documents_and_they_to_files_of_the_site() -> None:
    files = page_files(CARD, b"weights", served=True)
    index, text = files[INDEX].content.decode(), files["page/understanding.html"].content.decode()
    for name in ("page/understanding.html", "page/cvae.py.txt", "page/objective.py.txt"):
        assert f'href="{name}"' in index
    assert files["page/cvae.py.txt"].media_type.startswith("text/plain")
    for link in re.findall(r'(?:href|src)="([^"]*)"', text):
        place, _, anchor = link.partition("#")
        assert place in ("", "../") or place.startswith("https://") or f"page/{place}" in files
        assert not anchor or f'id="{anchor}"' in text


def test_service_worker_caches_every_file_that_the_page_needs() -> None:
    files = page_files(CARD, b"weights", served=True)
    text = files[WORKER].content.decode()
    (listed,) = re.findall(r"JSON.parse\(`(.*)`\)", text)
    assert set(json.loads(listed)) == {"./", "model", *files} - {
        *(INDEX, WORKER, PREVIEW),
        *documents(),
    }
    assert not re.findall(r"{{\w+}}", text)


def test_version_of_the_page_changes_with_its_content() -> None:
    def version(card: bytes, weights: bytes) -> str:
        text = page_files(card, weights, served=True)[WORKER].content.decode()
        return str(re.findall(r'VERSION = "(.*)"', text)[0])

    assert version(CARD, b"a") == version(CARD, b"a")
    assert len({version(CARD, b"a"), version(CARD, b"b"), version(CARD + b" ", b"a")}) == 3


def test_whole_page_with_all_networks_is_small() -> None:
    renderer = open_renderer(PRETRAINED, "onnx", "int8")
    weights = (PRETRAINED / ROUNDED_WEIGHTS).read_bytes()
    files = page_files(CARD, weights, served=True, networks=shown_networks(renderer))
    page = [file for name, file in files.items() if name not in documents()]
    sizes = [len(file.packed or file.content) for file in page]
    assert 500_000 < sum(sizes) < MAX_BYTES
    assert 'id="reader"' in files[INDEX].content.decode()
    stylesheet = files["page/page.css"]
    assert len(stylesheet.packed or stylesheet.content) < len(stylesheet.content) / 2


def test_page_of_a_model_without_a_reader_has_none(
    tiny_checkpoint: Checkpoint,
) -> None:
    tiny = open_renderer(tiny_checkpoint.folder, "onnx", "float")
    files = page_files(CARD, b"weights", served=True, networks=shown_networks(tiny))
    assert 'id="encoder"' in files[INDEX].content.decode()
    assert 'id="reader"' not in files[INDEX].content.decode()


def test_command_gives_the_preview_its_full_address(tmp_path: Path) -> None:
    assert main([str(tmp_path / "site"), "--address", "https://example.org/digits"]) == 0
    index = (tmp_path / "site" / INDEX).read_text()
    assert f'property="og:image" content="https://example.org/digits/{PREVIEW}"' in index


def test_write_page_replaces_an_older_one(tmp_path: Path) -> None:
    write_page(tmp_path / "site", page_files(CARD, b"old", served=False))
    write_page(tmp_path / "site", page_files(CARD, b"new", served=False))
    (weights,) = (tmp_path / "site" / "page").glob("decoder-*.safetensors")
    assert weights.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["thesis.txt", WORKER])
def test_write_page_to_a_folder_with_other_files_raises(tmp_path: Path, name: str) -> None:
    """Other pages have a service worker too."""
    (tmp_path / name).write_text("precious")
    with pytest.raises(OSError, match="neither empty nor a page"):
        write_page(tmp_path, page_files(CARD, b"weights", served=False))
    assert (tmp_path / name).read_text() == "precious"


def test_command_writes_the_page(tmp_path: Path) -> None:
    assert main([str(tmp_path / "site")]) == 0
    card = json.loads((tmp_path / "site" / "page" / "model.json").read_bytes())
    assert card["architecture"]["latent"] > 0
    (weights,) = (tmp_path / "site" / "page").glob("decoder-*.safetensors")
    assert weights.read_bytes() == (PRETRAINED / ROUNDED_WEIGHTS).read_bytes()


def test_command_with_a_checkpoint_without_rounded_weights_fails(
    tiny_checkpoint: Checkpoint,
    provenance: Provenance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = {name: (tiny_checkpoint.folder / name).read_bytes() for name in PAYLOAD}
    folder = tmp_path / "old"
    write_checkpoint(folder, tiny_checkpoint.config, provenance, files, lambda _: None)
    monkeypatch.setenv("CVAE_CHECKPOINT", str(folder))
    monkeypatch.setenv("CVAE_PRECISION", "float")
    assert main([str(tmp_path / "site")]) == 1
    assert "has no decoder.int8.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
