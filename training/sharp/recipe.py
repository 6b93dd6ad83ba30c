"""The settings of the preset `sharp`, stage by stage: everything that decides its result."""

from pydantic import BaseModel, ConfigDict

from model.config import ARTICLE, CVAEConfig


class StageSettings(BaseModel):
    """What every stage has; an unknown name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    batch_size: int  # images a step
    learning_rate: float  # the highest, of AdamW under a one-cycle schedule
    average: float  # decay of the weights' exponential average, per step


class TeacherSettings(StageSettings):
    """Stage 1, the CVAE that teaches."""

    kl_weight: float


class FlowSettings(StageSettings):
    """Stage 2, the prior of the teacher."""

    depth: int  # coupling layers
    width: int  # of their hidden layers


class GuideSettings(StageSettings):
    """Stage 4, the classifier that steers the next one."""

    width: int  # channels of its first convolution


class SharpenSettings(StageSettings):
    """Stage 5, two discriminators and the guide against blur and doubtful shapes."""

    discriminator_width: int  # channels of the first convolution of the one of pictures
    feature_width: int  # channels of the first convolution of the one of features
    discriminator_learning_rate: float
    feature_weight: float  # of fooling the one of features, that of the other being 1
    doubt_weight: float  # of the guide's doubt
    sure_enough: float  # the probability of the label from which the guide has no doubt
    penalty_weight: float  # of the squared gradient at what is real
    penalty_every: int  # steps
    anchor_weight: float  # of the squared difference from the teacher
    anchor_block: int  # pixels a side; the anchor compares means over such blocks


class Recipe(BaseModel):
    """All stages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: CVAEConfig  # of the network that is served
    teacher_architecture: CVAEConfig
    teacher: TeacherSettings
    flow: FlowSettings
    distil: StageSettings
    guide: GuideSettings
    sharpen: SharpenSettings
    encoder: StageSettings


LATENT = 24
SHARP = Recipe(
    # 808,000 multiplications a digit or fewer, the article's number, whatever the depth.
    architecture=ARTICLE.model_copy(update={"hidden": (440, 440, 440), "latent": LATENT}),
    teacher_architecture=ARTICLE.model_copy(update={"latent": LATENT}),
    teacher=TeacherSettings(
        steps=6000, batch_size=256, learning_rate=2e-3, average=0.999, kl_weight=0.15
    ),
    flow=FlowSettings(
        steps=7000, batch_size=512, learning_rate=2e-3, average=0.999, depth=8, width=128
    ),
    distil=StageSettings(steps=4000, batch_size=256, learning_rate=2e-3, average=0.998),
    guide=GuideSettings(steps=2340, batch_size=128, learning_rate=3e-3, average=0.99, width=16),
    sharpen=SharpenSettings(
        steps=6000,
        batch_size=128,
        learning_rate=5e-4,
        average=0.998,
        discriminator_width=32,
        feature_width=64,
        discriminator_learning_rate=5e-4,
        feature_weight=0.5,
        doubt_weight=0.2,
        sure_enough=0.9,
        penalty_weight=0.1,
        penalty_every=16,
        anchor_weight=0.02,
        anchor_block=4,
    ),
    encoder=StageSettings(steps=3500, batch_size=256, learning_rate=1e-3, average=0.99),
)
