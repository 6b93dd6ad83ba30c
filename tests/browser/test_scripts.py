"""The page's scripts: their types, their size, their place in the page."""

import re
import shutil
import subprocess

import pytest

from app.site.build import WEB
from tests.conftest import ROOT

SCRIPTS = sorted(WEB.rglob("*.js"))


def test_types_of_all_scripts_hold() -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("no TypeScript: `apt-get install node-typescript` or `npm i -g typescript`")
    checked = subprocess.run([compiler, "--project", ROOT], capture_output=True, text=True)
    assert checked.stdout == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_says_what_it_is_for_and_stays_short(path: object) -> None:
    text = WEB.joinpath(str(path)).read_text()
    assert text.startswith("// ")
    assert len(text.splitlines()) <= 300


def test_kernel_stays_small() -> None:
    assert len((WEB / "page" / "decoder.js").read_text().splitlines()) < 150


def test_every_element_that_a_script_looks_for_is_there() -> None:
    page = (WEB / "index.html").read_text()
    for path in SCRIPTS:
        for name in re.findall(
            r"\b(?:input|button|canvas|part)\(\"#([a-z-]+)\"\)", path.read_text()
        ):
            assert f'id="{name}"' in page, (path.name, name)
