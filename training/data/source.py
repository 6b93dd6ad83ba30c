"""Where pictures of one's own come from: names, labels and parts, before any picture is decoded."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PIL import Image

TRAIN, TEST, VALIDATION = "train", "test", "validation"
# The names of folders, files and entries that say to which part pictures belong.
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("test", "testing", "t10k"), TEST),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION),
}


@dataclass(frozen=True)
class Picture:
    """A picture that has not been decoded yet."""

    name: str  # for messages
    label: str
    part: str | None  # of the data set; None: decided by hash
    open: Callable[[], Image.Image]


@dataclass
class Source:
    """All pictures of a source."""

    layout: str  # in words, such as "a folder per label"
    pictures: list[Picture] = field(default_factory=list)
    labels: list[str] | None = None  # in order, also those without pictures; None: as sorted
    left_out: Counter[str] = field(default_factory=Counter)  # reason -> number of files

    @property
    def ordered_labels(self) -> list[str]:
        """The labels in their order: as given, or numbers by value and texts by alphabet."""
        if self.labels is not None:
            return self.labels
        return sorted({picture.label for picture in self.pictures}, key=natural)


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts texts with the numbers in them by value: 2 before 10."""
    parts: Iterable[str] = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
