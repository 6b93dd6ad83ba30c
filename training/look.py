"""`python -m training.look FOLDER`: what a folder of pictures holds, before training on it."""

import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from training.command import command
from training.config import EXIT_FAILED, PictureRules, read_options

DESCRIPTION = """
Show what a network would be trained on: labels, counts, sizes, polarity, what may spoil a model of
these pictures, and a contact sheet with pictures as found and as trained on. The options that
normalise pictures are those of `cvae-digits train`.
"""
ROWS = 30  # of the table of labels, at most
SIZES = 3  # that are named


class LookConfig(PictureRules):
    """The options of a look."""

    folder: Path = Field(description="a folder of labelled pictures, or an .npz file")
    sheet: Path = Field(Path("look.png"), description="file for the contact sheet, a PNG")


def look(config: LookConfig) -> list[str]:
    """Read all pictures, write the contact sheet and print a table; returns what else to know.

    Raises:
        DataError: there is no labelled picture.
        OSError: the contact sheet cannot be written.
    """
    from training.console import print_table
    from training.data.load import rules_of
    from training.data.own import find_pictures, load_images
    from training.data.sheet import source_sheet

    data = load_images(config.folder, rules_of(config), config.label_names)
    config.sheet.write_bytes(source_sheet(find_pictures(config.folder), rules_of(config)))
    counts = [Counter(part.labels.tolist()) for part in (data.train, data.test)]
    rows = [
        [name, *(str(count[number]) for count in counts)]
        for number, name in enumerate(data.label_names)
    ]
    together = [sum(count.values()) for count in counts]
    more = [["...", "", ""]] if len(rows) > ROWS else []
    total = [f"all {len(rows)}", *map(str, together)]
    print_table(data.name, ["label", "train", "test"], [*rows[:ROWS], *more, total])
    median = statistics.median(counts[0][number] for number in range(data.classes))
    return [
        f"Found: {data.facts}.",
        f"Trained on: {data.size} x {data.size} pixels, fit {config.fit}, contrast "
        f"{config.contrast}.",
        f"A label has {median:g} training pictures in the median.",
        *data.notes,
        f"Wrote the contact sheet {config.sheet}; look at it before training: is ink white on "
        "black on the right, and the right way up?",
    ]


@command
def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed.

    Args:
        arguments: as typed, without the name of the program.
    Raises:
        SystemExit: see `read_options`.
    """
    config = read_options(LookConfig, "cvae-digits look", DESCRIPTION, arguments)
    from training.data import DataError

    try:
        lines = look(config)
    except DataError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or config.sheet} cannot be used: {error.strerror or error}.")
    print("\n".join(lines))  # noqa: T201
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - this is a command
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
