import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app import dataset, draw
from app.request.dataset import DatasetQuery
from app.request.query import Query
from app.request.schemas import GenerateQuery


@pytest.mark.parametrize(
    ("main", "model", "file"),
    [(draw.main, GenerateQuery, ["-o", "a.png"]), (dataset.main, DatasetQuery, ["a.zip"])],
    ids=["draw", "dataset"],
)
def test_help_has_all_parameters_and_its_examples_are_taken_as_they_are_printed(
    main: Callable[[list[str]], int],
    model: type[Query],
    file: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    words: list[str] = []
    for part in re.split(r" (?=--[a-z]+ [A-Z]+ |DIGITS )", text):
        example = re.search(r" Example: (\S+)", part)
        if example:
            name = part.split()[0]
            words += [name, example[1]] if name.startswith("--") else [example[1]]
    assert {word for word in words if word.startswith("--")} == {
        f"--{name}" for name in model.model_fields if name not in ("digits", "style", "model")
    }
    assert main([*words, *file]) == 0
    assert (tmp_path / file[-1]).is_file()
    assert not re.search("lambda|Annotated|None|app[./]", text)
