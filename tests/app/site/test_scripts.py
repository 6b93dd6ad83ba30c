"""The scripts of the page: their size, the elements they expect, and the numbers they share."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from app.drawing import handwriting, picture, sight
from app.site.build import READING, WEB
from model.reading import cutout, frame, groups, reader

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


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("cutout", cutout),
        ("frame", frame),
        ("groups", groups),
        ("reader", reader),
        ("sight", sight),
    ],
)
def test_page_reads_with_the_numbers_of_the_service(name: str, module: ModuleType) -> None:
    """A number that only one of the two has is a step that only one of them takes."""
    text = (WEB / "page" / f"{name}.js").read_text()
    expected = {
        constant: value
        for constant, value in vars(module).items()
        if constant.isupper() and isinstance(value, int | float | tuple)
    }
    for constant, value in expected.items():
        if re.search(rf"import {{[^}}]*\b{constant}\b", text):
            continue
        (found,) = re.findall(rf"^(?:export )?const {constant} = ([^;]+);", text, re.MULTILINE) or [
            None
        ]
        assert found is not None, f"{constant} is missing in {name}.js"
        assert eval(found, {}) == (list(value) if isinstance(value, tuple) else value), constant


@pytest.mark.parametrize(
    ("name", "constant", "value"),
    [
        ("small-picture", "WORKING_SIDE", picture.WORKING_SIDE),
        ("local-reader", "SURE", handwriting.SURE),
        ("sheet", "CELL", cutout.CELL),
    ],
)
def test_page_reads_with_this_number(name: str, constant: str, value: float) -> None:
    text = (WEB / "page" / f"{name}.js").read_text()
    assert f"const {constant} = {value};" in text


def test_scripts_that_read_are_loaded_by_nothing_that_the_page_starts_with() -> None:
    others = [path for path in SCRIPTS if path.stem not in READING]
    assert len(others) == len(SCRIPTS) - len(READING)
    for path in others:
        assert not set(re.findall(r'from "\./([^"]+)\.js"', path.read_text())) & {*READING}
