import os
from pathlib import Path

import pytest

from model import atomic


def test_replace_file_writes_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    atomic.replace_file(path, b"one")
    atomic.replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_replace_file_on_a_full_disk_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    # On Linux every write to /dev/full fails as on a full disk.
    (tmp_path / f".file.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        atomic.replace_file(path, b"new")
    assert path.read_bytes() == b"old"


def folder_with(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "file").write_text(content)
    return path


def test_exchange_moves_the_new_folder_to_a_free_target(tmp_path: Path) -> None:
    atomic.exchange(folder_with(tmp_path / "fresh", "new"), tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target" / "file").read_text() == "new"


@pytest.mark.parametrize("system_call", [True, False])
def test_exchange_swaps_two_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system_call: bool
) -> None:
    if not system_call:  # as on a system without renameat2
        monkeypatch.setattr(atomic, "_swapped", lambda *_: False)
    fresh = folder_with(tmp_path / "fresh", "new")
    target = folder_with(tmp_path / "target", "old")
    atomic.exchange(fresh, target)
    assert (target / "file").read_text() == "new"
    assert (fresh / "file").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
