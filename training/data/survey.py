"""Counts what the pictures of a source are like, and says what may spoil a model of them."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from training.data.picture import FAINT, MIDDLE, Grey, Levels, Rules
from training.data.source import Picture, Source

TOUCHES = 64  # grey level from which a pixel at the edge of a normalised picture is ink
TOUCHING = 0.1  # share of the pixels at the edge: more ink there touches it
SMALL_INK = 0.35  # of the side: ink below it leaves most of a picture empty
PALE = 180  # grey level: the strongest ink of a picture below it is pale
GREY_PAPER = 24  # grey level: paper above it is not paper for a network
FEW = 0.02  # share of pictures from which something is worth a note
NAMED = 3  # files that a note names


class Survey:
    """What was found in the pictures so far."""

    def __init__(self, source: Source, rules: Rules) -> None:
        self.source = source
        self.rules = rules
        self.dark_ink = False
        self.per_label: Counter[str] = Counter()
        self.sizes: Counter[tuple[int, int]] = Counter()  # (height, width) -> pictures
        self.first_fault = "no picture was read"
        self._counts: Counter[str] = Counter()
        self._faulty: list[str] = []
        self._labels_of: dict[bytes, set[str]] = {}
        self._papers: list[int] = []
        self._inks: list[int] = []
        self._spans: list[float] = []

    @property
    def read(self) -> int:
        """The number of pictures that could be read."""
        return sum(self.per_label.values())

    def add(self, picture: Picture, found: Grey, levels: Levels, digest: bytes) -> None:
        """Count a picture that was read, with its normalised levels and its hash."""
        self.per_label[picture.label] += 1
        self.sizes[found.levels.shape[0], found.levels.shape[1]] += 1
        seen = self._labels_of.setdefault(digest, set())
        self._counts["repeated"] += bool(seen)
        self._counts["contradicting"] += bool(seen - {picture.label})
        seen.add(picture.label)
        edges = np.concatenate((levels[0], levels[-1], levels[:, 0], levels[:, -1]))
        self._counts["animated"] += found.frames > 1
        self._counts["deep"] += found.deep
        self._counts["transparent"] += found.transparent
        self._counts["coloured"] += found.coloured
        self._counts["blank"] += found.blank
        self._counts["turned"] += (found.paper > MIDDLE) != self.dark_ink and not found.blank
        self._counts["touching"] += float(np.mean(edges > TOUCHES)) > TOUCHING
        self._papers.append(int(np.median(edges)))
        self._inks.append(int(levels.max()))
        self._spans.append(_span(levels))

    def add_fault(self, picture: Picture, error: Exception) -> None:
        """Count a picture that cannot be read."""
        if not self._faulty:
            self.first_fault = (
                f"{picture.name}: {' '.join(str(error).split()) or type(error).__name__}"
            )
        self._faulty.append(picture.name)

    def facts(self) -> str:
        """What the pictures are like, such as "7,800 pictures, 96 x 96, dark ink"."""
        (low, high), ink = self._range(), "dark ink" if self.dark_ink else "light ink"
        sizes = f"{low[1]} x {low[0]}" + (f" to {high[1]} x {high[0]}" if low != high else "")
        return f"{self.read:,} pictures, {self.source.layout}, {sizes} pixels, {ink}"

    def notes(self) -> Iterator[str]:
        """What a user should know, each a full sentence with a count."""
        for reason, count in self.source.left_out.items():
            if count:
                yield f"Entries that {reason}, left out: {count:,}."
        if self._faulty:
            more = self._faulty[1:NAMED] + ["..."] * (len(self._faulty) > NAMED)
            yield (
                f"Pictures that cannot be read, left out: {len(self._faulty):,} "
                f"({'; '.join([self.first_fault, *more])})."
            )
        yield from self._notes_of_kinds()
        yield from self._notes_of_ink()

    def _notes_of_kinds(self) -> Iterator[str]:
        counts = self._counts
        if len(self.sizes) > 1:
            (low, high), sides = self._range(), len(self.sizes)
            yield (
                f"The pictures have {sides} different sizes, from {low[1]} x {low[0]} to "
                f"{high[1]} x {high[0]} pixels; each is brought to {self.rules.size} x "
                f"{self.rules.size}."
            )
        if counts["animated"]:
            yield f"Animated pictures: {counts['animated']:,}; the first frame of each is taken."
        if counts["deep"]:
            yield f"Pictures of more than 8 bits: {counts['deep']:,}; they are rounded to 8."
        if counts["repeated"]:
            yield f"Pictures that repeat another one: {counts['repeated']:,}."
        if counts["contradicting"]:
            yield (
                f"Pictures that repeat one of another label: {counts['contradicting']:,}; one of "
                "the two labels is wrong."
            )

    def _notes_of_ink(self) -> Iterator[str]:
        counts, few = self._counts, max(1, FEW * self.read)
        if counts["blank"]:
            yield f"Blank pictures: {counts['blank']:,}."
        if counts["turned"] >= few:
            taken, other = ("dark", "light") if self.dark_ink else ("light", "dark")
            yield (
                f"Pictures of the other polarity: {counts['turned']:,} of {self.read:,}, which are "
                f"taken as {taken} ink like the rest; a network learns both as different shapes. "
                f"Turn them, or pass --polarity {other}-ink if most look wrong."
            )
        if self.rules.contrast == "keep" and self._inks:
            if np.median(self._papers) > GREY_PAPER:
                yield (
                    f"The paper is grey: {int(np.median(self._papers))} of 255 in half of the "
                    "pictures, expected 0; --contrast stretch makes it 0."
                )
            if np.median(self._inks) < PALE:
                yield (
                    f"The ink is pale: the strongest is {int(np.median(self._inks))} of 255 in "
                    "half of the pictures; --contrast stretch makes it 255."
                )
        if self.rules.fit == "whole" and self._spans and np.median(self._spans) < SMALL_INK:
            yield (
                f"The ink is small: it covers {np.median(self._spans):.0%} of the side in half "
                "of the pictures; --fit ink crops and centres it."
            )
        if self.rules.fit == "whole" and counts["touching"] > self.read / 2:
            yield (
                f"Pictures whose ink touches the edge: {counts['touching']:,} of {self.read:,}; "
                "for handwriting, --fit ink leaves a margin as in MNIST."
            )

    def _range(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The smallest and the largest size, by area."""
        sizes = sorted(self.sizes, key=lambda size: size[0] * size[1])
        return sizes[0], sizes[-1]


def _span(levels: Levels) -> float:
    """The longer side of the box of the ink, as a share of the picture's side."""
    paper = float(np.median(np.concatenate((levels[0], levels[-1], levels[:, 0], levels[:, -1]))))
    ink = levels > paper + max(FAINT, 0.25 * (float(levels.max()) - paper))
    sides = [int(np.ptp(np.flatnonzero(ink.any(axis=axis)))) + 1 for axis in (0, 1) if ink.any()]
    return max(sides, default=0) / len(levels)
