"""What a trial of one promise found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One line of the table.

    Attributes:
        promise: in a few words.
        figure: what was measured, with its unit.
        limit: what was promised.
        holds: whether the figure keeps the promise.
        timed: whether only a machine with nothing else to do can judge it.
    """

    promise: str
    figure: str
    limit: str
    holds: bool
    timed: bool = False
