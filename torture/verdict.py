"""The result of one check of a promise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One line of the table.

    Attributes:
        promise: what is promised, in a few words.
        figure: what was measured, with its unit.
        limit: what the promise allows.
        holds: whether the figure is within the limit.
        timed: whether the figure is a time, which only an idle machine can judge.
    """

    promise: str
    figure: str
    limit: str
    holds: bool
    timed: bool = False
