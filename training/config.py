"""What one training run is told, typed, read once from the command line."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import (
    BaseSettings,
    CliImplicitFlag,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from model.config import ARTICLE, CVAEConfig
from model.noise import MAX_SEED

# The preset `sharp` is one recipe as a whole, in one process.
ARTICLE_ONLY = {
    *("epochs", "batch_size", "learning_rate", "conditional", "hidden", "latent"),
    *("snapshot_every_s", "devices", "precision", "compile"),
}


class TrainingConfig(BaseSettings):
    """Train a CVAE on MNIST and write a checkpoint folder that the service can draw with.

    The preset `article` is the article's: Adam 1e-3, batch 128, 10 epochs. Expect a test loss of
    about 101 nats after 2 minutes on 2 CPU cores. The preset `sharp` is the one that ships:
    six stages, see training/course.py; its settings are those of training/recipe.py.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_kebab_case=True,
        cli_prog_name="python -m training",
        cli_avoid_json=True,
    )

    data_dir: Path = Field(
        Path("data"),
        description="folder that holds MNIST/raw; downloaded into it if it is not there",
    )
    preset: Literal["article", "sharp"] = Field(
        "article", description="what to train: the article's CVAE, or the sharper one"
    )
    run_dir: Path = Field(
        default_factory=lambda given: Path("runs") / given["preset"],
        description="folder of this run: log, samples, snapshot, checkpoint/",
    )
    checkpoint: Path | None = Field(
        None, description="folder to write the checkpoint to; without it checkpoint/ of the run"
    )
    epochs: PositiveInt = Field(10, description="passes over the training images")
    batch_size: PositiveInt = Field(128, description="images a step, over all processes")
    learning_rate: PositiveFloat = Field(1e-3, description="of Adam")
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(
        0, description="of weights, order and noise; the same seed repeats the run exactly"
    )
    conditional: CliImplicitFlag[bool] = Field(
        True, description="--no-conditional trains the plain VAE, without labels"
    )
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = Field(
        ARTICLE.hidden, description="widths of the encoder; the decoder has them reversed"
    )
    latent: PositiveInt = Field(ARTICLE.latent, description="latent dimensions")
    resume: CliImplicitFlag[bool] = Field(
        False, description="continue the run in --run-dir exactly where it stopped"
    )
    snapshot_every_s: PositiveFloat = Field(
        30.0, description="seconds between two snapshots; each end of an epoch makes one too"
    )
    evaluate: CliImplicitFlag[bool] = Field(
        True, description="--no-evaluate leaves out the measurements of samples at the end"
    )
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="device kind")
    devices: PositiveInt = Field(1, description="processes, each with a device or CPU share")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="of the arithmetic"
    )
    compile: CliImplicitFlag[bool] = Field(
        False, description="let torch compile the training step; needs a C++ compiler"
    )

    @property
    def architecture(self) -> CVAEConfig:
        """The network to train."""
        return ARTICLE.model_copy(
            update={
                "hidden": self.hidden,
                "latent": self.latent,
                "conditional": self.conditional,
            }
        )

    @property
    def checkpoint_folder(self) -> Path:
        """Where the checkpoint is written."""
        return self.checkpoint or self.run_dir / "checkpoint"

    @property
    def snapshot(self) -> Path:
        """The file that a run of the preset `article` is resumed from."""
        return self.run_dir / "snapshot.safetensors"

    @model_validator(mode="after")
    def _refuse_options_of_the_other_preset(self) -> Self:
        if self.preset != "article" and (given := sorted(self.model_fields_set & ARTICLE_ONLY)):
            options = ", ".join("--" + name.replace("_", "-") for name in given)
            raise ValueError(
                f"The preset {self.preset} takes no {options}: these belong to the preset article, "
                "its own settings are in training/recipe.py"
            )
        return self

    def recipe(self) -> dict[str, object]:
        """The fields that decide the result: a resumed run must have the same ones."""
        fields = {"batch_size", "learning_rate", "seed", "conditional", "hidden", "latent"}
        return self.model_dump(mode="json", include=fields)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only arguments: a stray SEED or DEVICES in the environment must not change a run."""
        return (init_settings,)
