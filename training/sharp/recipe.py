"""The settings of the preset `sharp`, stage by stage; with the seed they determine its result."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from model.config import ARTICLE, CVAEConfig
from training.boxes import CANVAS, SIDE, are_placed_boxes
from training.data import DataSet
from training.fitting import BETAS, Cycle

RISE = 0.1  # of the steps, in which the learning rate rises


class StageSettings(BaseModel):
    """The settings that every stage has; an unknown name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    batch_size: int  # images per step
    learning_rate: float  # maximum, of AdamW with a one-cycle schedule
    average: float  # decay per step of the exponential moving average of the weights

    def cycle(self, weight_decay: float = 0.0, betas: tuple[float, float] = BETAS) -> Cycle:
        """The settings of the stage's optimizer."""
        return Cycle(self.steps, self.learning_rate, weight_decay, RISE, betas)

    def shortened(self, share: float) -> Self:
        """The settings with this share of the steps, in (0, 1].

        The average reaches back over the same share of all steps.
        """
        steps = max(1, round(share * self.steps))
        return self.model_copy(update={"steps": steps, "average": self.average ** (1 / share)})


class TeacherSettings(StageSettings):
    """Stage 1, the teacher's CVAE."""

    kl_weight: float


class FlowSettings(StageSettings):
    """Stage 2, the teacher's prior."""

    depth: int  # coupling layers
    width: int  # of the hidden layers in a coupling


class GuideSettings(StageSettings):
    """Stage 4, the classifier that steers the next stage."""

    width: int  # channels of the first convolution


class SharpenSettings(StageSettings):
    """Stage 5, which removes blur and ambiguous shapes."""

    discriminator_width: int  # channels of the first convolution, discriminator of pictures
    feature_width: int  # channels of the first convolution, discriminator of features
    discriminator_learning_rate: float
    noise_share: float  # of the pairs in which the discriminators see the noise, in [0, 1]
    feature_weight: float  # of the loss from the discriminator of features; of pictures: 1
    guide_weight: float  # of the guide's loss
    confidence_threshold: float  # probability of the label from which the guide's loss is 0
    penalty_weight: float  # of the gradient penalty
    penalty_every: int  # steps between two gradient penalties
    half_precision: bool  # discriminators and guide multiply in bfloat16
    anchor_weight: float  # of the squared difference of redrawn digits from the real ones
    feature_anchor_weight: float  # of the same in the guide's features
    anchor_block: int  # side of the blocks whose means the anchor compares, in pixels


class RefineSettings(SharpenSettings):
    """Stage 6, which goes on sharpening, and removes specks and cuts."""

    lone_ink_weight: float  # of specks beyond those of real pictures
    reach_weight: float  # of ink that ends before the sides, beyond that of real pictures


class Recipe(BaseModel):
    """The settings of all stages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: CVAEConfig  # of the network that is served
    teacher_architecture: CVAEConfig
    teacher: TeacherSettings
    flow: FlowSettings
    distil: StageSettings
    guide: GuideSettings
    sharpen: SharpenSettings
    refine: RefineSettings
    encoder: StageSettings

    def shortened(self, share: float) -> Self:
        """The recipe with this share, in (0, 1], of the steps of each stage."""
        settings = {name: getattr(self, name) for name in type(self).model_fields}
        stages = {name: of for name, of in settings.items() if isinstance(of, StageSettings)}
        return self.model_copy(
            update={name: stage.shortened(share) for name, stage in stages.items()}
        )

    def fitted(self, data: DataSet) -> Self:
        """The recipe for this data: with the number of its labels and the size of its pictures.

        Where the pictures are placed boxes, the networks draw boxes. Other pictures they draw
        whole, and without the statistics of form, which describe ink that was scaled to a box: on
        clothes they led to empty pictures of sandals (EXPERIMENTS.md, 21).
        """
        boxes = are_placed_boxes(data.train)
        form = {
            "image_height": SIDE if boxes else data.size,
            "image_width": SIDE if boxes else data.size,
            "canvas": CANVAS if boxes else None,
            "classes": data.classes,
        }
        networks = ("architecture", "teacher_architecture")
        fitted = {name: getattr(self, name).model_copy(update=form) for name in networks}
        if not boxes:
            without = {"lone_ink_weight": 0.0, "reach_weight": 0.0}
            fitted["refine"] = self.refine.model_copy(update=without)
        return self.model_copy(update=fitted)


LATENT = 32
SHARPEN = SharpenSettings(
    steps=12_000,
    batch_size=128,
    # The decoder's is larger: with the discriminators' it cannot follow them (EXPERIMENTS.md, 34).
    learning_rate=2e-3,
    average=0.998,
    discriminator_width=24,
    feature_width=64,
    discriminator_learning_rate=1e-3,
    noise_share=0.5,
    feature_weight=0.5,
    guide_weight=0.7,
    confidence_threshold=0.9,
    penalty_weight=0.1,
    penalty_every=4,
    half_precision=True,
    anchor_weight=0.02,
    feature_anchor_weight=1.0,
    anchor_block=4,
)
BOX = ARTICLE.model_copy(
    update={"image_height": SIDE, "image_width": SIDE, "canvas": CANVAS, "latent": LATENT}
)
SHARP = Recipe(
    # For a box at most 808,000 multiplications, as many as the article's decoder has.
    architecture=BOX.model_copy(
        update={"hidden": (256, 480, 480), "overshoot": 0.05, "supersampling": 2}
    ),
    teacher_architecture=BOX,
    teacher=TeacherSettings(
        steps=8000, batch_size=256, learning_rate=2e-3, average=0.999, kl_weight=0.1
    ),
    flow=FlowSettings(
        steps=7000, batch_size=512, learning_rate=2e-3, average=0.999, depth=8, width=128
    ),
    distil=StageSettings(steps=2000, batch_size=256, learning_rate=2e-3, average=0.998),
    guide=GuideSettings(steps=2340, batch_size=128, learning_rate=3e-3, average=0.99, width=16),
    sharpen=SHARPEN,
    # Weights of the form of 40 and 15 make the decoder draw empty paper (EXPERIMENTS.md, 16).
    refine=RefineSettings(
        **SHARPEN.model_dump()
        | {
            "steps": 4000,
            "learning_rate": 5e-4,
            "discriminator_learning_rate": 5e-4,
            "guide_weight": 2.0,
            "anchor_weight": 0.12,
        },
        lone_ink_weight=25.0,
        reach_weight=11.0,
    ),
    encoder=StageSettings(steps=3500, batch_size=256, learning_rate=1e-3, average=0.99),
)
