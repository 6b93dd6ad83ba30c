"""Data sets beside the engine alone: `python -m benchmarks.dataset ROUNDS` prints one JSON object.

The benchmark runs it in the environment of the service. Files are written into memory where the
system has a folder for that: what a new file costs is a matter of the disk, and `new_file_us` says
it. Times are processor times of one process, except for two workers, where they are of a clock.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.drawing.dataset import shards
from app.drawing.dataset.iterator import numbers
from app.drawing.dataset.labels import draw_numbers
from app.drawing.dataset.plan import Plan
from app.drawing.dataset.section import BATCH
from app.drawing.dataset.workers import Work, write_shards, write_shards_with
from app.drawing.renderer import Renderer, open_renderer
from app.request.dataset_options import DatasetOptions
from app.settings import Settings
from benchmarks import ENGINE
from model.noise import noise_of_lines

DIGITS = 61_440  # in a run of one process
MANY = 512_000  # in a run of two: far more than the time of their start
LENGTHS = ("1", "4", "1-8")  # digits in a picture
FORMS = ("npz", "idx", "webdataset", "parquet", "imagefolder", "zip")
RICH = {"placement": "random", "temperature": "0.8-1.2", "writers": "500"}
SIDE = 32  # pixels of a digit's room in rich pictures
SEED = 7
MEMORY = Path("/dev/shm")
NEW_FILES = 500
Run = Callable[[], object]


def main() -> None:
    """Measure and print."""
    json.dump(measure(rounds=int(sys.argv[1])), sys.stdout)


def measure(rounds: int) -> dict[str, Any]:
    """Digits a second of the fastest of several alternating rounds.

    Returns:
        rates: length -> form -> digits a second; bytes: the same -> bytes of a digit in its files;
        two_workers: times the rate of one;
        new_file_us: microseconds that the disk takes for a small file, beside the drawing.
    """
    renderer = _renderer()
    rates: dict[str, dict[str, float]] = {}
    sizes: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        for length in LENGTHS:
            runs, digits = dict(_runs(renderer, length, Path(place))), sum(_lengths(length))
            best, taken = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0.0)
            for _ in range(rounds):
                for name, run in runs.items():
                    best[name] = max(best[name], digits / _cpu_s(run))
                    taken[name] = _bytes(Path(place)) / digits
                    _empty(Path(place))
            rates[length] = best
            sizes[length] = {name: size for name, size in taken.items() if size}
        workers = max(_two_workers(renderer, Path(place)) for _ in range(rounds))
    return {
        "rates": rates,
        "bytes": sizes,
        "two_workers": workers,
        "new_file_us": _new_file_us(),
    }


def _runs(renderer: Renderer, length: str, place: Path) -> Iterator[tuple[str, Run]]:
    lengths = _lengths(length)
    asked = {"count": len(lengths), "length": length}
    yield ENGINE, lambda: _engine(renderer, lengths)
    for form in FORMS:
        if (form != "parquet" or find_spec("pyarrow")) and (form != "idx" or length == "1"):
            yield form, _writing(renderer, place, {**asked, "format": form})
    rich = {**RICH, "size": f"{SIDE}x{SIDE * max(lengths)}"}
    for name, more in {"npz, varied": rich, "npz, ink": {"render": "ink"}}.items():
        yield name, _writing(renderer, place, {**asked, "format": "npz", **more})
    drawn = {**asked, "seed": SEED, "renderer": renderer}
    yield "numbers()", lambda: list(numbers(**drawn))  # type: ignore[arg-type]


def _lengths(length: str) -> list[int]:
    """The digits of each number, `DIGITS` or nearly in all."""
    options = DatasetOptions.model_validate({"count": "1", "length": length})
    count = round(2 * DIGITS / (options.length.low + options.length.high))
    found: list[int] = draw_numbers(options, SEED, None, 0, count).lengths.tolist()
    return found


def _engine(renderer: Renderer, lengths: Sequence[int]) -> None:
    """The noise and the grey levels of the same digits, and nothing else."""
    count = BATCH * len(lengths) // sum(lengths)
    one_hot = renderer.one_hot("0123456789" * BATCH)
    for first in range(0, len(lengths), count):
        own = lengths[first : first + count]
        lines = [(SEED, row, digits) for row, digits in enumerate(own, first)]
        noise = noise_of_lines(lines, renderer.latent_size)
        renderer.generator.draw(one_hot[: len(noise)], noise)


def _writing(renderer: Renderer, place: Path, options: dict[str, object]) -> Run:
    def run() -> None:
        folder = Path(tempfile.mkdtemp(dir=place))
        plan = _plan(options)
        missing = shards.begin(folder, plan, renderer)
        write_shards(Work(folder, plan, missing), renderer, lambda _: None)
        shards.finish(folder, plan, renderer)

    return run


def _two_workers(renderer: Renderer, place: Path) -> float:
    """How many times faster two processes are than one, their start included."""
    seconds = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            plan = _plan({"count": MANY, "format": "npz"})
            work = Work(Path(folder), plan, shards.begin(Path(folder), plan, renderer))
            began = time.perf_counter()
            write_shards_with(workers, _renderer, work, lambda _: None)
            seconds.append(time.perf_counter() - began)
    return seconds[0] / seconds[1]


def _plan(options: dict[str, object]) -> Plan:
    values = {name: str(value) for name, value in options.items()}
    return Plan(DatasetOptions.model_validate(values), seed=SEED)


def _renderer() -> Renderer:
    settings = Settings()
    return open_renderer(settings.checkpoint, settings.engine, settings.precision)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _new_file_us() -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        for index in range(NEW_FILES):
            Path(folder, str(index)).write_bytes(bytes(300))
        return (time.perf_counter() - started) / NEW_FILES * 1e6


def _cpu_s(run: Run) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


if __name__ == "__main__":
    main()
