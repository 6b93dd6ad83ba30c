"""How the networks that read photos are trained: their settings, which with the data decide all."""

from pydantic import BaseModel, ConfigDict

from training.fitting import Cycle

RISE = 0.15  # of the steps, in which the learning rate rises


class Steps(BaseModel):
    """AdamW with a one-cycle schedule.

    Attributes:
        count: of steps.
        batch: examples of a step.
        learning_rate: the highest.
        weight_decay: of AdamW.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.02

    @property
    def cycle(self) -> Cycle:
        """The settings of the loop."""
        return Cycle(self.count, self.learning_rate, self.weight_decay, RISE)


class Recipe(BaseModel):
    """The defaults take about a quarter of an hour on one core."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    drawn: int = 8_000  # digits that are drawn as strokes, beside those of MNIST
    finder_pictures: int = 16_000
    finder: Steps = Steps(count=2000, batch=32, learning_rate=4e-3)
    classifier_pictures: int = 8_000
    classifier: Steps = Steps(count=4000, batch=128, learning_rate=4e-3)
