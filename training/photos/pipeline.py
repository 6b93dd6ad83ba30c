"""From MNIST to the files of a reader: pictures, finder, cut-outs, classifier, calibration.

Each result is a file in the folder of the run; a run that is started again skips what it finds.
"""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.atomic import replace_file
from model.reading.reader import Network
from training.data import LabelledImages
from training.photos.classifier import Classifier, calibrate, logits_of, train_classifier
from training.photos.cutouts import Cutouts, make_cutouts
from training.photos.examples import Examples, make_examples
from training.photos.export import finder_network, reader_files
from training.photos.finder import Finder, train_finder
from training.photos.hands import drawn_digits
from training.photos.pen import Levels
from training.photos.recipe import Recipe
from training.snapshot import SnapshotError
from training.tensors import DamagedError, load_tensors, save_tensors

log = logging.getLogger("training.photos")
HELD_OUT = 12  # one in so many training digits is kept for the calibration
CHECKED = 8  # one picture to calibrate with for so many to train with
FINDING, READING, CHECKING, DRAWING = 1, 2, 3, 4  # streams of random numbers


class Pipeline:
    """One run: the data, the recipe, and the folder with what is done.

    Args:
        data: the training images; a part of them is held out.
        recipe: with the data it decides everything, on one machine.
        folder: of the run.
    Raises:
        SnapshotError: the folder has a run of another recipe.
    """

    def __init__(self, data: LabelledImages, recipe: Recipe, folder: Path) -> None:
        self.data, self.recipe, self.folder = data, recipe, folder
        self.kept = len(data) - len(data) // HELD_OUT
        images, labels = data.images.numpy(), data.labels.numpy()
        drawn = drawn_digits(recipe.drawn, np.random.default_rng((recipe.seed, DRAWING)))
        self.own = (
            np.concatenate([images[: self.kept], drawn[0]]),
            np.concatenate([labels[: self.kept], drawn[1]]),
        )
        self.held_out = images[self.kept :], labels[self.kept :]
        self._claim()

    def run(self) -> dict[str, bytes]:
        """The files of the reader.

        Raises:
            CheckpointError: the exported networks differ from those that were trained.
            SnapshotError: a file of the folder is damaged.
        """
        recipe = self.recipe
        finder = Finder()
        self._stage("finder", finder, self._train_finder)
        find = finder_network(finder)
        pictures = recipe.classifier_pictures
        cutouts = self._cut("cutouts", self.own, pictures, READING, find)
        held_out = self._cut("held-out", self.held_out, pictures // CHECKED, CHECKING, find)
        classifier = Classifier()
        digits, labels = map(torch.from_numpy, self.own)
        train = partial(train_classifier, digits, labels, cutouts, recipe.classifier, recipe.seed)
        self._stage("classifier", classifier, train)
        temperature = calibrate(classifier, held_out)
        facts = {
            "data": f"MNIST, the first {self.kept} of {len(self.data)} training images, and "
            f"{recipe.drawn} drawn digits; calibrated on the rest of MNIST",
            "recipe": recipe.model_dump(),
            "temperature": round(temperature, 3),
            "held_out": _accuracy(classifier, held_out),
        }
        log.info("%s", json.dumps(facts))
        return reader_files(finder, classifier, facts)

    def _claim(self) -> None:
        """Note the recipe in the folder, or compare it with the one that is there."""
        path, text = self.folder / "recipe.json", self.recipe.model_dump_json(indent=2) + "\n"
        if path.exists() and path.read_text() != text:
            raise SnapshotError(
                f"The folder {self.folder} has a run with other settings; choose another "
                "--run-dir, or remove the folder."
            )
        replace_file(path, text.encode())

    def _train_finder(self) -> nn.Module:
        recipe = self.recipe
        seed = recipe.seed, FINDING
        make = partial(make_examples, *self.own, recipe.finder_pictures, seed)
        examples = Examples(**self._arrays("examples", make))
        return train_finder(examples, recipe.finder, recipe.seed)

    def _cut(
        self, name: str, digits: tuple[Levels, Levels], count: int, stream: int, find: Network
    ) -> Cutouts:
        seed = self.recipe.seed, stream
        make = partial(make_cutouts, *digits, count, seed, find)
        return Cutouts(**self._arrays(name, make))

    def _arrays(self, name: str, make: Callable[[], Examples | Cutouts]) -> dict[str, NDArray[Any]]:
        """The arrays of examples or cut-outs, by name."""
        kept = self._kept(
            name, lambda: {key: torch.from_numpy(of) for key, of in make()._asdict().items()}
        )
        return {key: tensor.numpy() for key, tensor in kept.items()}

    def _stage(self, name: str, network: nn.Module, train: Callable[[], nn.Module]) -> None:
        """Give a network the weights in its file, or train it and save them there."""
        network.load_state_dict(self._kept(name, lambda: train().state_dict()))
        network.eval()

    def _kept(self, name: str, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """The tensors in a file of the folder; if there is none, they are made and saved first."""
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            log.info("making the %s", name)
            save_tensors(path, make(), {})
        try:
            return load_tensors(path)[0]
        except DamagedError as error:
            raise SnapshotError(f"The file {path} {error}; remove it and start again.") from error


def _accuracy(classifier: Classifier, held_out: Cutouts) -> dict[str, float]:
    """The share of held-out cut-outs that are classified right."""
    found = logits_of(classifier, held_out.digits).argmax(dim=1)
    right = (found == torch.from_numpy(held_out.labels)).numpy()
    digit = held_out.labels < np.uint8(10)
    return {
        "digits": round(float(right[digit].mean()), 4),
        "no_digit": round(float(right[~digit].mean()), 4),
        "count": len(right),
    }
