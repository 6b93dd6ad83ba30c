"""What one training run is told, typed, read once from the command line."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import (
    BaseSettings,
    CliImplicitFlag,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from model.config import ARTICLE, CVAEConfig
from model.noise import MAX_SEED


class TrainingConfig(BaseSettings):
    """Train the CVAE on MNIST and write a checkpoint folder that the service can draw with.

    The defaults are the article's: Adam 1e-3, batch 128, 10 epochs. Expect a test loss of about
    101 nats after 2 minutes on 2 CPU cores.
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
    run_dir: Path = Field(
        Path("runs/article"),
        description="folder of this run: log, samples, TensorBoard, snapshot, checkpoint/",
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
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="device kind")
    devices: PositiveInt = Field(1, description="processes, each with a device or CPU share")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="of the arithmetic"
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
