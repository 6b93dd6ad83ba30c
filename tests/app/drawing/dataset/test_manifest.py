import re
from pathlib import Path

import pytest

from app.dataset import main
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "datasets.md"


def check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the documented check of the pictures of the data set `ocr` in a folder."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (code,) = [code for code in blocks if "pictures_sha256" in code]
    monkeypatch.chdir(folder)
    exec(code, {})


@pytest.mark.parametrize("length", ["1", "1-4"])
def test_documented_check_finds_a_damaged_picture(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    length: str,
) -> None:
    options = ["--count=90", "--shard-size=20", "--seed=7", "--split=train=0.6,test=0.4"]
    options += ["--format=imagefolder", f"--length={length}"]
    assert main([str(tmp_path / "ocr"), *options]) == 0
    check(tmp_path, monkeypatch)
    assert capsys.readouterr().out == ""

    (picture,) = (tmp_path / "ocr" / "train").glob("*/0000000045.png")
    content = bytearray(picture.read_bytes())
    content[len(content) // 2] ^= 1
    picture.write_bytes(content)
    check(tmp_path, monkeypatch)
    assert capsys.readouterr().out == ("train: a picture from row 40 on is not the one drawn\n")

    picture.unlink()
    with pytest.raises(FileNotFoundError, match=r"0000000045\.png"):
        check(tmp_path, monkeypatch)
