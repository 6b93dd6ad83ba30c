import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app import dataset, draw
from app.request.dataset_options import DatasetOptions, RunOptions
from app.request.query import Query
from app.request.schemas import GenerateQuery


@pytest.mark.parametrize(
    ("main", "models", "last"),
    [
        (draw.main, [GenerateQuery], ["-o", "a.png"]),
        (dataset.main, [DatasetOptions, RunOptions], ["--count", "20", "a"]),  # fewer than there
    ],
    ids=["draw", "dataset"],
)
def test_help_has_all_parameters_and_its_examples_are_taken_as_they_are_printed(
    main: Callable[[list[str]], int],
    models: list[type[Query]],
    last: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    words: list[str] = []
    for part in re.split(r" (?=--[a-z-]+ [A-Z]+ |DIGITS )", text):
        example = re.search(r" Example: (\S+)", part)
        if example:
            name = part.split()[0]
            words += [name, example[1]] if name.startswith("--") else [example[1]]
    assert {word for word in words if word.startswith("--")} == {
        f"--{name}"
        for model in models
        for name in model.names()
        if name not in ("digits", "text", "style", "texts", "model")
    }
    assert main([*words, *last]) == 0
    assert (tmp_path / last[-1]).exists()
    assert not re.search("lambda|Annotated|None|app[./]", text)
