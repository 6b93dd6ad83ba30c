"""The figures as one picture."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plan import CEILING, OURS, PEERS, USUAL
from benchmarks.report import Results

SERVICES = (CEILING, OURS, *PEERS)
LABELS = {CEILING: "ready bytes", OURS: "cvae-digits", "plain": "FastAPI + torch"}
OUR_COLOUR, OTHERS = "#1f6f8b", "#b8b8b8"


def save_plot(results: Results, path: Path) -> None:
    """Plot requests a second, start, memory, and the time of a digit, side by side."""
    figure = Figure(figsize=(13, 3.4), layout="constrained")
    rate, start, memory, cost = figure.subplots(1, 4)
    _bars(rate, [results.rate(name) for name in SERVICES], f"requests/s, {USUAL} connections")
    _bars(start, [results.start_s(name) for name in SERVICES], "start to first digit, s")
    _bars(memory, [results.memories[name].resident for name in SERVICES], "memory, MB")
    digits = results.engine["digits"]
    for name, label in (("picture_us", "request to PNG"), ("decode_us", "decoder alone")):
        times = zip(results.engine[name], digits, strict=True)
        cost.plot(digits, [us / size for us, size in times], marker="o", label=label)
    cost.set(title="time of a digit, µs", xlabel="digits at once", xscale="log", yscale="log")
    cost.legend(frameon=False)
    figure.savefig(path, dpi=110)


def _bars(axes: Axes, values: list[float], title: str) -> None:
    colours = [OUR_COLOUR if name == OURS else OTHERS for name in SERVICES]
    names = [LABELS.get(name, name) for name in SERVICES]
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(
        bars,
        labels=[f"{value:,.3g}" if value < 10 else f"{value:,.0f}" for value in values],
        padding=3,
    )
    axes.set(title=title, xlim=(0, max(values) * 1.25))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
