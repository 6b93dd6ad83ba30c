"""The structure of the code: which room may import which, and where torch may live."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Each room may import the rooms below it, and `model`. Rooms on one line do not import each other.
APP = [
    {"__main__", "draw", "dataset"},
    {"main"},
    {"options"},
    {"server"},
    {"api"},
    {"site"},
    {"drawing", "overload"},
    {"telemetry"},
    {"settings"},
    {"request"},
]
MODEL = [
    {"export"},
    {"generator", "reading"},
    {"onnx_engine", "torch_engine", "quantization"},
    {"engine", "objective"},
    {"cvae", "checkpoint"},
    {"alphabet", "box", "config", "content", "noise", "atomic"},
]
TRAINING = [
    {"__main__"},
    {"run", "look"},
    {"article", "sharp", "evaluate", "report"},
    {"evaluation", "photos"},
    {"checkpoint"},
    {"fitting"},
    {"launch", "console", "command", "snapshot", "place"},
    {"boxes"},
    {"data"},
    {"config", "interrupt"},
    {"lock", "randomness", "tensors"},
]
ORDERS = {"app": APP, "model": MODEL, "training": TRAINING}
# What a package may never import, at any depth.
FORBIDDEN = {
    "app": {"training", "benchmarks", "tests", "torch", "torchvision", "pickle"},
    "model": {"app", "training", "benchmarks", "tests", "fastapi", "uvicorn", "pickle"},
    "training": {"app", "benchmarks", "tests", "fastapi", "uvicorn", "pickle"},
}
WITH_TORCH = {"cvae", "objective", "export", "quantization", "torch_engine"}  # of model
MODULES = [path for package in ORDERS for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The full names of everything that a file imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(name: str) -> tuple[str, str]:
    """The package and the room of a module's full name, such as app and drawing."""
    parts = name.split(".")
    return parts[0], parts[1] if len(parts) > 1 else ""


def level(package: str, name: str) -> int:
    (found,) = [index for index, rooms in enumerate(ORDERS[package]) if name in rooms]
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_import_only_what_is_below_them(path: Path) -> None:
    package, own = room(name_of(path))
    assert not {name.split(".")[0] for name in imports(path)} & FORBIDDEN[package]
    if own == "":
        return  # the package itself
    for name in imports(path):
        other_package, other = room(name)
        if other_package != package or other in ("", own, "__version__"):
            continue
        assert level(package, own) < level(package, other), name


@pytest.mark.parametrize("package", ORDERS)
def test_modules_import_each_other_without_a_circle(package: str) -> None:
    names = {name_of(path) for path in MODULES}
    remaining = {
        name_of(path): {
            found
            for target in imports(path)
            for found in (target, target.rpartition(".")[0])
            if found in names and found != name_of(path)
        }
        for path in MODULES
        if name_of(path).split(".")[0] == package
    }
    while remaining:
        free = [name for name, needs in remaining.items() if not needs & remaining.keys()]
        assert free, f"these import each other in a circle: {sorted(remaining)}"
        for name in free:
            del remaining[name]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_imported_by_a_string(path: Path) -> None:
    """An import that no reader and no type checker sees could hide a circle."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("importlib.import_module", "__import__")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_torch_lives_in_few_modules(path: Path) -> None:
    package, own = room(name_of(path))
    if package == "model" and own not in WITH_TORCH:
        heavy = {name.split(".")[0] for name in imports(path)} & {"torch", "onnx"}
        assert not heavy


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_room_states_its_purpose(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.partition("\n")[0].endswith((".", ":", "?"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name


def test_service_cannot_fetch_anything() -> None:
    """No HTTP client on the serving path: no request can make the service ask another one."""
    clients = {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "urllib3"}
    clients.add("urllib.request")
    for path in MODULES:
        if room(name_of(path))[0] in ("app", "model"):
            found = {
                client
                for client in clients
                for name in imports(path)
                if name == client or name.startswith(f"{client}.")
            }
            assert not found, path


def test_no_file_is_a_drawer() -> None:
    assert not {path.stem for path in MODULES} & {"utils", "util", "helpers", "common", "misc"}
