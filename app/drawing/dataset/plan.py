"""How a data set is cut into splits and shards, each of which can be drawn by itself."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from app.drawing.dataset.section import Section, Writers
from app.drawing.dataset.texts import Texts
from app.request.dataset_options import DatasetOptions
from app.request.error import invalid


@dataclass(frozen=True)
class Shard:
    """A part of a split.

    Attributes:
        split: its name.
        index: of the shard in its split.
        of: shards of the split.
        offset: pictures of the split before it.
        section: its pictures.
    """

    split: str
    index: int
    of: int
    offset: int
    section: Section

    @property
    def name(self) -> str:
        """Such as `train-00003-of-00010`, the way that `datasets` names shards."""
        return f"{self.split}-{self.index:05d}-of-{self.of:05d}"


@dataclass(frozen=True)
class Plan:
    """All of a data set; the same options, seed and texts give the same plan."""

    options: DatasetOptions
    seed: int
    texts: Texts | None = None

    @cached_property
    def shards(self) -> list[Shard]:
        """The shards of all splits, in order.

        Raises:
            InvalidRequest: a split has no picture, or no writer.
        """
        options, found = self.options, list[Shard]()
        names, shares = zip(*options.splits, strict=True)
        rows = _cuts(shares, options.count)
        writers = _cuts(shares, options.writers or 0)
        for name, (first, end), hands in zip(names, pairwise(rows), pairwise(writers), strict=True):
            if first == end or (options.writers is not None and hands[0] == hands[1]):
                kind = "picture" if first == end else "writer"
                raise invalid("split", f"leaves no {kind} for {name}; ask for more of them")
            own = None if options.writers is None else Writers(hands[0], hands[1] - hands[0], first)
            found += self._of_split(name, first, end, own)
        return found

    def _of_split(self, name: str, first: int, end: int, writers: Writers | None) -> list[Shard]:
        size = self.options.shard_size
        starts = range(first, end, size)
        return [
            Shard(name, index, len(starts), start - first, self._section(start, end, writers))
            for index, start in enumerate(starts)
        ]

    def _section(self, first: int, end: int, writers: Writers | None) -> Section:
        count = min(self.options.shard_size, end - first)
        return Section(self.options, self.seed, first, count, self.texts, writers)


def _cuts(shares: tuple[float, ...], count: int) -> list[int]:
    """Where each split begins, and the end of the last one."""
    return [0, *(round(share * count) for share in accumulate(shares))]
