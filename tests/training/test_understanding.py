"""docs/understanding.md and its notebook are true: names, numbers and cells."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from docs.understanding import bound_by_log_variance, gradient_estimates
from model.checkpoint import PRETRAINED, read_checkpoint
from tests.conftest import ROOT
from tests.test_documents import links, rows, section
from training.sharp.pipeline import STAGES

DOCUMENT = (ROOT / "docs" / "understanding.md").read_text()
NOTEBOOK = ROOT / "docs" / "understanding.ipynb"


def defined(path: Path) -> set[str]:
    """The functions of a file, and the methods of its classes as Class.method."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
            names |= {
                f"{node.name}.{part.name}"
                for part in node.body
                if isinstance(part, ast.FunctionDef)
            }
    return names


def test_each_formula_is_beside_a_function_that_exists() -> None:
    table = rows(section(DOCUMENT, "Formulas and functions"))
    assert len(table) >= 10
    for *_, function, link in table:
        ((path, _),) = links(link)
        assert link == f"[{path.removeprefix('../')}]({path})"
        assert function.strip("`") in defined(ROOT / "docs" / path), function


def test_each_stage_of_sharp_is_explained() -> None:
    table = rows(section(DOCUMENT, "How sharp answers"))
    assert [row[0] for row in table] == [
        f"{number} {name}" for number, name in enumerate(STAGES, start=1)
    ]
    for row in table:
        ((path, _),) = links(row[2])
        assert row[2].strip("[").split("]")[0] in defined(ROOT / "docs" / path)


def test_exercise_about_temperature_tells_what_was_measured() -> None:
    measured = read_checkpoint(PRETRAINED).metrics["evaluation"]["temperature"]
    for row in measured:
        if row["temperature"] in (0.5, 1.15):
            assert f"{row['label_agreement']:.3f} and" in DOCUMENT
            assert f"{row['recall']:.3f}" in DOCUMENT


def test_bound_touches_the_evidence_at_the_posterior() -> None:
    found = bound_by_log_variance()
    assert (found["bound"] <= found["evidence"] + 1e-6).all()
    best = found["bound"].argmax()
    assert found["variance"][best] == pytest.approx(0.5, rel=0.03)
    assert found["bound"][best] == pytest.approx(found["evidence"][0], abs=1e-3)


def test_spread_of_the_gradients_is_as_told() -> None:
    for name, told in zip(gradient_estimates(), ("2.0", "9.1"), strict=True):
        estimates = gradient_estimates()[name]
        assert f"{np.std(estimates):.1f}" == told
        assert told in DOCUMENT
        assert abs(estimates.mean() + 4) < 4 * estimates.std() / np.sqrt(len(estimates))


def test_notebook_is_whole_and_names_no_machine() -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert sum(cell.cell_type == "code" for cell in notebook.cells) > 10
    assert NOTEBOOK.stat().st_size < 1_500_000
    assert not re.search(r"/(home|tmp|root|work)/", NOTEBOOK.read_text())


@pytest.mark.slow
def test_notebook_runs_from_top_to_bottom() -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(
        notebook,
        timeout=1800,
        kernel_name="python3",
        resources={"metadata": {"path": ROOT / "docs"}},
    ).execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    pictures = [output for found in outputs for output in found if "image/png" in str(output)]
    assert len(pictures) > 8
