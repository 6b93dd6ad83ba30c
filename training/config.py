"""The options of a training run, typed, and how the commands read their options."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from model.config import ARTICLE, CVAEConfig
from model.noise import MAX_SEED

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130  # 130: as a shell reports Ctrl-C
# The preset `sharp` has its own settings, and runs in one process.
ARTICLE_ONLY = {
    *("epochs", "batch_size", "learning_rate", "conditional", "hidden", "latent"),
    *("snapshot_every_s", "devices", "precision", "compile"),
}
EPOCHS = 10  # of the article
LEAST_STEPS, MOST_EPOCHS = 3_000, 300  # of a run on few pictures; ten epochs of MNIST are 4,690
RUNS = Path("runs")
METAVARS: dict[object, str] = {int: "INTEGER", float: "NUMBER", Path: "PATH"}
Options = TypeVar("Options", bound=BaseModel)
Polarity = Literal["auto", "dark-ink", "light-ink"]
Fit = Literal["whole", "ink"]
Contrast = Literal["keep", "stretch"]
SMALLEST, LARGEST = 8, 64  # sides of pictures
IMAGES_ONLY = {"label_names", "polarity", "fit", "contrast"}  # the named sets need none of them


def _split(value: object) -> object:
    """The items of a text such as "512,512"; another value unchanged."""
    return value.strip("[]").split(",") if isinstance(value, str) else value


class PictureRules(BaseModel):
    """How pictures are brought to one form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label_names: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        (), description="names for the labels of your pictures, in their order; none: as found"
    )
    size: Annotated[int, Field(ge=SMALLEST, le=LARGEST)] = Field(
        ARTICLE.image_height, description="side of the pictures, in pixels, 8 to 64"
    )
    polarity: Polarity = Field(
        "auto",
        description="which is ink in your pictures; auto: what most lack at the edge",
    )
    fit: Fit = Field(
        "whole",
        description="take each of your pictures whole, or crop and centre its ink as in MNIST",
    )
    contrast: Contrast = Field(
        "keep", description="keep the grey levels of your pictures, or make paper 0 and ink 255"
    )


class DataOptions(PictureRules):
    """Which pictures, and how they are brought to one form."""

    dataset: Literal[
        "mnist", "fashion-mnist", "kmnist", "emnist-letters", "emnist-balanced", "qmnist", "usps"
    ] = Field("mnist", description="a data set with a name, read by torchvision")
    images: Path | None = Field(
        None,
        description="pictures of your own instead: a folder with a folder per label, a "
        "metadata.csv or IDX files, or an .npz file",
    )
    data_dir: Path = Field(
        Path("data"),
        description="folder of the data sets with a name, such as MNIST/raw in it; what is "
        "missing is downloaded into it",
    )

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        given = self.model_fields_set
        if self.images is not None and "dataset" in given:
            raise ValueError(
                "The options --images and --dataset were both given; a run has one data set, so "
                "leave one of them out"
            )
        changed = {
            name
            for name in IMAGES_ONLY
            if getattr(self, name) != type(self).model_fields[name].default
        }
        if self.images is None and (alien := sorted(changed)):
            raise ValueError(
                f"The option {', '.join(map(option, alien))} is for --images only, which was not "
                "given; a data set with a name has its own"
            )
        return self


class TrainingConfig(DataOptions):
    """The options of one training run."""

    preset: Literal["article", "sharp"] = Field(
        "article", description="what to train: the article's CVAE, or a sharper one in seven stages"
    )
    run_dir: Path = Field(
        default_factory=lambda given: RUNS / _run_name(given),
        description="folder for the log, snapshots, samples, report and checkpoint (default: runs/ "
        "and the names of preset and data set, with the next free number)",
    )
    checkpoint: Path | None = Field(
        None,
        description="folder to write the checkpoint to (default: checkpoint/ in the folder of "
        "the run)",
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(
        0, description="seed of all random numbers; it repeats a run exactly on the same machine"
    )
    resume: bool = Field(
        False,
        description="continue a run where it stopped, with its own options: that in --run-dir, "
        "or the last one",
    )
    evaluate: bool = Field(True, description="measure the quality of samples at the end")
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="device type")
    length: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the steps of the preset sharp, such as 0.25"
    )
    epochs: int | None = Field(
        None,
        gt=0,
        description=f"passes over the training images; without it {EPOCHS}, and on few pictures as "
        f"many as give {LEAST_STEPS:,} steps, up to {MOST_EPOCHS}",
    )
    batch_size: PositiveInt = Field(128, description="images per step, over all processes")
    learning_rate: PositiveFloat = Field(1e-3, description="learning rate of Adam")
    conditional: bool = Field(
        True,
        description="train with labels; without them the result is a plain VAE, which draws any "
        "label",
    )
    hidden: Annotated[tuple[PositiveInt, ...], BeforeValidator(_split), Field(min_length=1)] = (
        Field(
            ARTICLE.hidden,
            description="widths of the encoder's hidden layers; the decoder reverses them",
        )
    )
    latent: PositiveInt = Field(ARTICLE.latent, description="number of latent dimensions")
    snapshot_every_s: PositiveFloat = Field(
        30.0, description="seconds between snapshots; each epoch ends with one, too"
    )
    devices: PositiveInt = Field(
        1, description="number of processes, each with a device or a share of the CPU"
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="precision of the arithmetic"
    )
    compile: bool = Field(
        False, description="compile the training step with torch; needs a C++ compiler"
    )

    def architecture(self, classes: int) -> CVAEConfig:
        """The network to train, for a number of labels."""
        return CVAEConfig(
            image_height=self.size,
            image_width=self.size,
            classes=classes,
            hidden=self.hidden,
            latent=self.latent,
            conditional=self.conditional,
        )

    def epochs_on(self, images: int) -> int:
        """The number of passes over `images` training images."""
        if self.epochs is not None:
            return self.epochs
        steps = -(-images // self.batch_size)  # of an epoch
        return max(EPOCHS, min(-(-LEAST_STEPS // steps), MOST_EPOCHS))

    @property
    def checkpoint_folder(self) -> Path:
        """The folder that the checkpoint is written to."""
        return self.checkpoint or self.run_dir / "checkpoint"

    @property
    def snapshot(self) -> Path:
        """The file from which a run of the preset `article` resumes."""
        return self.run_dir / "snapshot.safetensors"

    @property
    def stages(self) -> Path:
        """The folder from which a run of the preset `sharp` resumes."""
        return self.run_dir / "stages"

    @property
    def can_resume(self) -> bool:
        """Whether there is anything to resume."""
        return self.snapshot.exists() or self.stages.exists()

    @model_validator(mode="after")
    def _refuse_options_of_the_other_preset(self) -> Self:
        if self.preset == "sharp":
            given, other = self.model_fields_set & ARTICLE_ONLY, "article"
        else:
            given, other = {"length"} if self.length < 1 else set(), "sharp"
        if given:
            raise ValueError(
                f"The preset {self.preset} has its own settings and does not take "
                f"{', '.join(map(option, sorted(given)))}; leave it out, or choose the preset "
                f"{other}"
            )
        return self

    def recipe(self) -> dict[str, object]:
        """The fields that determine the result; they must be the same in a resumed run."""
        fields = {"batch_size", "learning_rate", "seed", "conditional", "hidden", "latent"}
        fields |= {"dataset", "images", "label_names", "size", "polarity", "fit", "contrast"}
        return self.model_dump(mode="json", include=fields)


def _run_name(given: Mapping[str, Any]) -> str:
    """The name of a run's folder: the preset, and the data set if it is not MNIST."""
    name = given["images"].resolve().stem if given["images"] else given["dataset"]
    return str(given["preset"]) if name == "mnist" else f"{given['preset']}-{name}"


def option(name: str) -> str:
    """The option of a field: "batch_size" -> "--batch-size"."""
    return "--" + name.replace("_", "-")


def read_options(
    model: type[Options], command: str, description: str, arguments: Sequence[str]
) -> Options:
    """The options of a command, from its arguments only: no environment variable changes a run.

    Each field of `model` is an option, or a positional argument if it has no default.

    Args:
        model: names, types, defaults and descriptions of the options.
        command: the name of the command in its help text.
        description: what the command does.
        arguments: as typed, without the name of the program.
    Raises:
        SystemExit: the help was printed (0), or an option is unknown or its value invalid, which
            was said in a sentence (`EXIT_USAGE`).
    """
    parser = argparse.ArgumentParser(
        command,
        description=description,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for name, field in model.model_fields.items():
        _add_option(parser, name, field)
    try:
        return model.model_validate(vars(parser.parse_args(arguments)))
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        if first["loc"]:  # else it is about several options together
            name = str(first["loc"][0])
            message = f"The option {option(name)} cannot be {first['input']!r}: {message}"
        parser.exit(EXIT_USAGE, f"{message}; see --help.\n")


def _add_option(parser: argparse.ArgumentParser, name: str, field: FieldInfo) -> None:
    if field.is_required():
        parser.add_argument(name, metavar=name.upper(), help=field.description)
    elif field.annotation is bool:
        default = option(name if field.default else f"no_{name}")
        text = f"{field.description} (default: {default})"
        parser.add_argument(option(name), action=argparse.BooleanOptionalAction, help=text)
    else:
        value = None if field.default_factory else field.default
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
        text = f"{field.description}" + (f" (default: {shown})" if shown not in (None, "") else "")
        parser.add_argument(option(name), metavar=_metavar(field.annotation), help=text)


def _metavar(kind: object) -> str:
    """How the help text shows the values of a type."""
    if get_origin(kind) is Literal:
        return "{" + ",".join(get_args(kind)) + "}"
    if get_origin(kind) is tuple:
        one = "TEXT" if str in get_args(kind) else "INTEGER"
        return f"{one}[,{one}...]"
    return METAVARS[next(iter(get_args(kind)), kind)]
