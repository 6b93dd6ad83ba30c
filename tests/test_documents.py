"""The documents are true: their commands run, their tables and their tree are complete."""

import ast
import io
import json
import re
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic.fields import FieldInfo
from starlette.testclient import TestClient

from app.api.errors import STATUSES
from app.main import create_app
from app.request.dataset import DatasetQuery
from app.request.error import Reason
from app.request.morph import MorphQuery
from app.request.query import Query
from app.request.ranges import Range
from app.request.schemas import (
    GenerateQuery,
    LatentMapQuery,
    RestyleQuery,
)
from app.settings import Settings
from app.site.documents import FOLDER
from docs.pictures import curl_lines, run
from docs.reading import page_of
from model.checkpoint import PRETRAINED
from tests.conftest import ROOT
from tests.test_structure import ORDERS
from training.config import TrainingConfig

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
TRAINING = (ROOT / "docs" / "training.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")),
    *(path for path in sorted((ROOT / "docs").glob("*.md")) if ".template" not in path.name),
]
README_LINES = 190
IN_TREE = ("app", "model", "training", "cvae_digits", "harness", "fuzz", "torture", "benchmarks")
QUERIES: dict[str, type[Query]] = {
    "`GET /generate`": GenerateQuery,
    "`POST /restyle`": RestyleQuery,
    "`GET /morph`": MorphQuery,
    "`GET /latent-map`": LatentMapQuery,
    "`GET /dataset`": DatasetQuery,
}
Links = list[tuple[str, str]]


def section(document: str, title: str) -> str:
    """The text below a heading of the second level, up to the next."""
    return document.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the tables in a text, without the heads."""
    tables = re.findall(r"^\|[ |:-]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE)
    lines = "".join(tables).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named_rows(text: str) -> dict[str, list[str]]:
    """What the first cells of tables name in code -> all cells of its row."""
    return {name: row for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])}


def links(document: str) -> Links:
    """The (path, anchor) of each link and picture; either may be empty."""
    targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", document)
    texts = [link or picture for link, picture in targets]
    return [(path, anchor) for path, _, anchor in (text.partition("#") for text in texts)]


def anchors(document: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", document, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def tree(document: str) -> list[str]:
    """The paths of the files in the tree: a name in each line, two spaces for each level."""
    paths, folders = [], list[str]()
    for line in section(document, "Every file").splitlines():
        if found := re.fullmatch(r"((?:  )*)([\w.-]+)(/?)(?:  +\S.*)?", line):
            indent, name, folder = found.groups()
            folders = [*folders[: len(indent) // 2], name]
            if not folder:
                paths.append("/".join(folders))
    return paths


def tracked(*folders: str) -> list[Path]:
    """The files that git tracks and that exist, relative to the root."""
    command = ["git", "ls-files", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in names.split() if (ROOT / name).is_file()]


def has_code(path: Path) -> bool:
    """Whether a file holds more than a docstring."""
    return path.suffix == ".js" or len(ast.parse((ROOT / path).read_text()).body) > 1


def test_tree_names_every_source_file_once() -> None:
    named = tree(ARCHITECTURE)
    sources = {path for path in tracked(*IN_TREE) if path.suffix in (".py", ".js")}
    expected = {str(path) for path in sources if path.name != "__init__.py" or has_code(path)}
    assert sorted(set(named)) == sorted(named)
    assert expected - set(named) == set(), "missing from the tree"
    assert [path for path in named if not (ROOT / path).is_file()] == [], "gone"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_existing_files_and_headings(path: Path) -> None:
    document = path.read_text()
    for name, anchor in links(document):
        if "://" in name:
            continue
        target = path.parent / name if name else path
        assert target.exists(), name
        assert not anchor or anchor in anchors(target.read_text()), f"{name}#{anchor}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_code_exist(path: Path) -> None:
    top = "|".join(sorted({str(name).split("/")[0] for name in tracked() if len(name.parts) > 1}))
    for name in re.findall(rf"`((?:{top})/[\w./-]*)`", path.read_text()):
        assert (ROOT / name).exists(), name


def test_page_links_to_understanding_md_as_it_is() -> None:
    text = (ROOT / "docs" / "understanding.md").read_text()
    made = page_of(text)
    assert (FOLDER / "understanding.html").read_text() == made, "run python -m docs.reading"
    assert {path.name for path in FOLDER.iterdir()} == {
        "understanding.html",
        *re.findall(r'src="(.*?)"', made),
    }


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= README_LINES


def test_readme_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert "git clone" in first_screen
    assert "make serve" in first_screen
    assert "make test" in first_screen


def test_every_command_of_the_makefile_is_documented() -> None:
    commands = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(commands) > 8
    documents = "\n".join(path.read_text() for path in DOCUMENTS)
    assert [command for command in commands if f"make {command}" not in documents] == []


def test_documents_name_only_commands_of_the_makefile() -> None:
    commands = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        named = re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(), re.MULTILINE)
        assert set(named) <= commands, path.name


@pytest.fixture(scope="module")
def address(serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve() as address:
        yield address


@pytest.mark.parametrize("command", [*curl_lines(README), *curl_lines(API)], ids=" ".join)
def test_curl_line_works_as_pasted(command: list[str], address: str, tmp_path: Path) -> None:
    run(command, address, tmp_path)
    if "-o" in command and (name := command[command.index("-o") + 1]) != "/dev/null":
        assert (tmp_path / name).stat().st_size > 100


def test_readme_picture_is_what_its_first_curl_line_draws(client: TestClient) -> None:
    """If this fails because the model changed, run `make pictures`."""
    kept = np.asarray(Image.open(ROOT / "docs" / "number.png")).astype(int)
    command = curl_lines(README)[0]
    answer = client.get(command[-1].removeprefix("http://127.0.0.1:8000"))
    assert "number.png" in command
    assert abs(kept - np.asarray(Image.open(io.BytesIO(answer.content)))).max() <= 1


@pytest.mark.parametrize("document", [README, API], ids=["README", "API"])
def test_every_endpoint_is_documented(client: TestClient, document: str) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in document


@pytest.mark.parametrize("title", QUERIES)
def test_parameter_table_is_complete(title: str) -> None:
    query, table = QUERIES[title], named_rows(section(API, title))
    parameters = {field.alias or name: field for name, field in query.model_fields.items()}
    if query is RestyleQuery:  # refuses it, and has the others in common with /generate
        del parameters["style"]
    assert set(parameters) <= set(table)
    for name, field in parameters.items():
        default = table[name][2]
        assert default.startswith(shown_default(field)) or default == "as there", name


def shown_default(field: FieldInfo) -> str:
    """How a table of parameters begins the default; empty where a sentence explains it."""
    if field.is_required():
        return "required"
    if isinstance(field.default, Range):
        return str(field.default)
    if isinstance(field.default, str):
        return f"`{field.default}`"
    return "" if field.default is None else f"{field.default:g}"


def test_settings_table_is_complete() -> None:
    table = named_rows(section(OPERATIONS, "Settings"))
    assert [name for name in table if name.startswith("CVAE_")] == [
        f"CVAE_{name.upper()}" for name in Settings.model_fields
    ]
    for name, field in Settings.model_fields.items():
        row = table[f"CVAE_{name.upper()}"]
        assert row[1] in ("-", f"`--{name.replace('_', '-')}`")
        assert row[2] == shown_setting(field), name


def shown_setting(field: FieldInfo) -> str:
    """How the table of settings shows a default."""
    default = field.default
    if default == PRETRAINED:
        return "the bundled model"
    if isinstance(default, bool) or field.default_factory is not None:
        return "on" if default is True else "off"
    return f"`{default}`" if default not in (None, "") else "none"


@pytest.mark.parametrize("name", TrainingConfig.model_fields)
def test_training_option_is_documented(name: str) -> None:
    options = named_rows(section(TRAINING, "Options"))
    assert {f"--{name.replace('_', '-')}", f"--no-{name.replace('_', '-')}"} & set(options)


def test_every_metric_is_documented(client: TestClient) -> None:
    table = named_rows(section(OPERATIONS, "Monitoring"))
    shown = re.findall(r"^# TYPE (cvae_\w+)", client.get("/metrics").text, re.MULTILINE)
    assert len(shown) > 8
    assert {name for name in table if name.startswith("cvae_")} == set(shown)


def test_every_status_of_an_error_is_documented() -> None:
    documented = {int(status) for status in re.findall(r"^\| (\d{3}) \|", API, re.MULTILINE)}
    told = {status for reason, status in STATUSES.items() if reason is not Reason.CLIENT_GONE}
    assert told <= documented


def test_layers_are_drawn_in_their_order() -> None:
    app = create_app(Settings(cors_origins="*"))
    drawn = re.findall(r"^ *(\w+)  ", section(ARCHITECTURE, "The way of a request"), re.MULTILINE)
    names = [getattr(layer.cls, "__name__", "") for layer in app.layers]
    assert len(names) == 4
    assert [name for name in drawn if name in names] == names


@pytest.mark.parametrize("package", ["app", "training"])
def test_rooms_are_drawn_in_the_order_of_their_imports(package: str) -> None:
    blocks = section(ARCHITECTURE, "Rooms").split("```\n")[1::2]
    lines = blocks[["app", "training"].index(package)].splitlines()
    drawn = [
        set(found[1].split()) for line in lines if (found := re.match(r"((?:\w+ {1,2})+) ", line))
    ]
    assert drawn == ORDERS[package]


def test_every_promise_names_existing_tests() -> None:
    tests = {path.name for path in tracked("tests")}
    assert set(re.findall(r"`(?:tests/)?(test_\w+\.py)`", SECURITY)) - tests == set()


def test_every_trial_has_its_promise() -> None:
    pytest.importorskip("rich")
    from torture.__main__ import TRIALS

    named = {row[2].strip("`") for row in rows(section(SECURITY, "Promises"))}
    assert named - {"", "make container"} == set(TRIALS)


@pytest.mark.parametrize("case", ["ours", "ours, float", "plain", "LitServe", "BentoML"])
def test_performance_table_shows_what_was_measured(case: str) -> None:
    benchmark = json.loads((ROOT / "docs" / "benchmark.json").read_text())
    rate = statistics.median(each["requests_per_s"] for each in benchmark["loads"][case]["16"])
    start = statistics.median(benchmark["starts"][case])
    memory = benchmark["memories"][case]["resident"]
    (row,) = [cells for cells in rows(PERFORMANCE) if cells[1].startswith(f"{rate:,.0f}")]
    assert row[3:] == [f"{start:.2f} s", f"{memory:,.0f} MB"]
