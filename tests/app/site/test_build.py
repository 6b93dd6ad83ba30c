import json
import re
from pathlib import Path

import pytest

from app.site.build import INDEX, WORKER, main, page_files, write_page
from model.checkpoint import PAYLOAD, PRETRAINED, Checkpoint, Provenance, write_checkpoint

CARD = b'{"model": "0123456789abcdef"}'


def test_served_page_links_to_the_api_and_its_weights() -> None:
    files = page_files(CARD, b"weights", served=True)
    index = files[INDEX].content.decode()
    assert 'id="card" rel="preload" as="fetch" crossorigin href="model"' in index
    assert 'id="service"' in index
    assert "Content-Security-Policy" not in index  # the header says it
    (weights,) = re.findall(r'id="weights".* href="(.*)"', index)
    assert files[weights].content == b"weights"
    assert files[weights].lasting
    assert not files[INDEX].lasting
    assert "page/model.json" not in files


def test_static_page_brings_its_card_and_its_policy() -> None:
    files = page_files(CARD, b"weights", served=False)
    index = files[INDEX].content.decode()
    assert files["page/model.json"].content == CARD
    assert 'href="page/model.json"' in index
    assert 'id="service"' not in index
    assert index.index("Content-Security-Policy") < index.index("<link")
    assert "frame-ancestors" not in index  # browsers complain of it in a meta element


def test_page_without_weights_links_to_none() -> None:
    files = page_files(CARD, None, served=True)
    assert 'id="weights"' not in files[INDEX].content.decode()
    assert not [name for name in files if name.endswith(".safetensors")]


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


def test_service_worker_keeps_every_file() -> None:
    files = page_files(CARD, b"weights", served=True)
    text = files[WORKER].content.decode()
    (listed,) = re.findall(r"JSON.parse\(`(.*)`\)", text)
    assert set(json.loads(listed)) == {"./", "model", *files} - {INDEX, WORKER}
    assert not re.findall(r"{{\w+}}", text)


def test_version_of_the_page_changes_with_anything_in_it() -> None:
    def version(card: bytes, weights: bytes) -> str:
        text = page_files(card, weights, served=True)[WORKER].content.decode()
        return str(re.findall(r'VERSION = "(.*)"', text)[0])

    assert version(CARD, b"a") == version(CARD, b"a")
    assert len({version(CARD, b"a"), version(CARD, b"b"), version(CARD + b" ", b"a")}) == 3


def test_page_file_is_packed_where_that_is_smaller() -> None:
    files = page_files(CARD, b"weights", served=True)
    packed = files["page/page.css"].packed
    assert packed is not None
    assert len(packed) < len(files["page/page.css"].content) / 2
    assert next(file for name, file in files.items() if "/decoder-" in name).packed is None


def test_write_page_replaces_an_older_one(tmp_path: Path) -> None:
    write_page(tmp_path / "site", page_files(CARD, b"old", served=False))
    write_page(tmp_path / "site", page_files(CARD, b"new", served=False))
    (weights,) = (tmp_path / "site" / "page").glob("decoder-*")
    assert weights.read_bytes() == b"new"


def test_write_page_over_something_else_raises(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(OSError, match="neither empty nor a page"):
        write_page(tmp_path, page_files(CARD, b"weights", served=False))
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_command_writes_the_page(tmp_path: Path) -> None:
    assert main([str(tmp_path / "site")]) == 0
    card = json.loads((tmp_path / "site" / "page" / "model.json").read_bytes())
    assert card["architecture"]["latent"] > 0
    (weights,) = (tmp_path / "site" / "page").glob("decoder-*")
    assert weights.read_bytes() == (PRETRAINED / "decoder.int8.safetensors").read_bytes()


def test_command_without_a_folder_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: python -m app.site.build FOLDER" in capsys.readouterr().err


def test_command_with_a_checkpoint_without_rounding_fails_in_words(
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
