"""The options of the command that writes data sets, beyond what is drawn."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.request.dataset import Description
from app.request.error import invalid
from app.request.parameter import Constraint, Integer
from app.request.query import Query

SPLIT = re.compile(r"([a-z][a-z0-9_]{0,31})=(0\.[0-9]{1,9}|1)")
IDX_LABELS = 256  # one byte each
ROUNDING = 1e-6  # that shares such as 0.333333 may be off
PART = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True)
class Splits(Constraint):
    """Names with shares that are 1 together, such as train=0.9,test=0.1."""

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        found = SPLIT.findall(text)
        names = {name for name, _ in found}
        whole = ",".join(f"{name}={share}" for name, share in found) == text
        total = sum(float(share) for _, share in found)
        if not whole or len(names) < len(found) or abs(total - 1) > ROUNDING:
            raise PydanticCustomError(
                "splits",
                "must be different names with shares that are 1 together, such as "
                "train=0.9,test=0.1",
            )
        return text

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"pattern": rf"^{SPLIT.pattern}(,{SPLIT.pattern})*$"}


class DatasetOptions(Description):
    """The options of the command that say what is drawn, and in which form."""

    format: Annotated[
        Literal["npz", "zip", "webdataset", "parquet", "idx", "imagefolder"],
        Field(
            description="npz, zip, webdataset or parquet: one file, or shards in a folder. idx "
            "(the four files of MNIST) or imagefolder: a folder.",
            examples=["zip"],
        ),
    ] = "npz"

    split: Annotated[
        str | None,
        Splits(),
        Field(
            description="Names and shares of the splits; with writers, each has its own. "
            "Default: train=1; for idx as in MNIST, six parts of seven to train.",
            examples=["train=0.9,test=0.1"],
        ),
    ] = None
    shard_size: Annotated[
        int,
        Integer(1, 1_000_000),
        Field(alias="shard-size", description="Pictures in a shard.", examples=[10_000]),
    ] = 10_000

    @property
    def splits(self) -> list[tuple[str, float]]:
        """The name and share of each split."""
        if self.split is None:
            return [("train", 6 / 7), ("test", 1 / 7)] if self.format == "idx" else [("train", 1.0)]
        return [(name, float(share)) for name, share in SPLIT.findall(self.split)]

    def check_texts(self, longest: int) -> None:
        """See `Description.check_texts`."""
        super().check_texts(longest)
        self._check_labels(longest)

    @model_validator(mode="after")
    def _check_format(self) -> Self:
        self._check_labels(int(self.length.high))
        names = sorted(name for name, _ in self.splits)
        if self.format == "idx" and names != ["test", "train"]:
            raise invalid("split", f"must be train and test for idx, found {' and '.join(names)}")
        return self

    def _check_labels(self, longest: int) -> None:
        if self.format == "idx" and longest > 1:
            raise invalid("length", "must be 1 for idx, which holds one label for each picture")
        if self.format == "idx" and len(self.alphabet.names) > IDX_LABELS:
            raise invalid("format", f"idx holds at most {IDX_LABELS} labels; ask for npz")
        if self.format == "idx" and (self.writers is not None or self.boxes == "on"):
            raise invalid("format", "idx holds neither writers nor boxes; ask for npz")


@dataclass(frozen=True)
class PartOf(Constraint):
    """Which of several parts, counted from 0, such as 0/8."""

    def check(self, text: str) -> str:
        """See `Constraint.check`."""
        found = PART.fullmatch(text)
        if not found or int(found[1]) >= int(found[2]):
            raise PydanticCustomError("part", "must be i/n with i from 0 to n - 1, such as 0/8")
        return text

    def describe(self) -> dict[str, Any]:
        """See `Constraint.describe`."""
        return {"pattern": f"^{PART.pattern}$"}


class RunOptions(Query):
    """How the command works; the same bytes come of it."""

    texts: Annotated[
        str | None,
        Field(
            description="A file with one number a line, which may have marks as in 3.14 or "
            "12:30; they are written in turn. "
            "Default: random numbers."
        ),
    ] = None
    workers: Annotated[
        int, Integer(1, 256), Field(description="Processes that draw.", examples=[2])
    ] = 1
    shard: Annotated[
        str,
        PartOf(),
        Field(
            description="Draw only the shards i, i + n, i + 2n, and so on, as one of n runs on a "
            "common folder; the last one completes it.",
            examples=["0/1"],
        ),
    ] = "0/1"

    @property
    def part(self) -> tuple[int, int]:
        """I and n of `shard`."""
        index, _, parts = self.shard.partition("/")
        return int(index), int(parts)
