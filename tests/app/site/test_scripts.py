"""The scripts of the page: their size, and the elements that they expect."""

import re
from pathlib import Path

import pytest

from app.site.build import WEB

SCRIPTS = sorted(WEB.rglob("*.js"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_is_short_and_states_its_purpose(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// ")
    assert len(text.splitlines()) <= (150 if path.name == "decoder.js" else 300)


def test_index_has_every_element_that_a_script_uses() -> None:
    index = (WEB / "index.html").read_text()
    for path in SCRIPTS:
        for name in re.findall(r"\b(?:input|button|canvas|part)\(\"#([a-z-]+)", path.read_text()):
            assert f'id="{name}"' in index, (path.name, name)
