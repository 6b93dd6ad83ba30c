"""The shape of the house: who may import whom, and where torch may live."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("app", "model", "training", "benchmarks", "torture")
FORBIDDEN = {
    "app": {"training", "benchmarks", "tests", "torch", "torchvision", "pickle"},
    "model": {"app", "training", "benchmarks", "tests", "fastapi", "uvicorn", "pickle"},
    "training": {"app", "benchmarks", "tests", "fastapi", "uvicorn", "pickle"},
}
WITH_TORCH = {"cvae.py", "objective.py", "export.py", "rounding.py", "torch_engine.py"}
MODULES = [path for package in FORBIDDEN for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """The top-level names of everything that a file imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert not imports(path) & FORBIDDEN[package]
    if package == "model" and path.name not in WITH_TORCH:
        assert not imports(path) & {"torch", "onnx"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_its_test_file(path: Path) -> None:
    """One noun, one file, one test file; what only starts or shows things is tested through it."""
    elsewhere = {"__init__.py", "__main__.py", "console.py"}
    if path.name not in elsewhere:
        package, *folders, name = path.relative_to(ROOT).parts
        assert (ROOT / "tests" / package / Path(*folders) / f"test_{name}").is_file()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name


def test_service_cannot_fetch_anything() -> None:
    """No HTTP client on the serving path: no address in a request can make it ask another."""
    clients = {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "urllib3"}
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] in ("app", "model"):
            text = path.read_text()
            assert "urllib.request" not in text and "urlopen" not in text, path
            assert not {name for name in clients if f"import {name}" in text}, path
            assert not {name for name in clients if f"from {name}" in text}, path


def test_no_file_is_a_drawer() -> None:
    assert not {path.stem for path in MODULES} & {"utils", "util", "helpers", "common", "misc"}
