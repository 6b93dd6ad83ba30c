"""Pictures of one's own as a data set: reads them, normalises them, divides them, counts faults."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from model.alphabet import MAX_NAME, check_names
from training.data.arrays import find_idx, read_idx_folder, read_npz
from training.data.folder import read_folder
from training.data.images import DataError, DataSet, LabelledImages
from training.data.picture import MIDDLE, UNREADABLE, Grey, Levels, Rules, grey, square
from training.data.source import TEST, VALIDATION, Picture, Source
from training.data.survey import Survey

TEST_SHARE = 0.1  # of the pictures of a label, if none is given as test picture
DECIDING = 500  # pictures at most that decide the polarity, evenly distributed
SHOWN = 10  # labels that a message names
ENOUGH = 100  # training pictures of a label, below which a network repeats them
ABOUT_LENGTH = 1500  # characters of a README.md in the folder that the model card repeats


@dataclass(frozen=True)
class Normalised:
    """A picture as it is trained on, with the hash that decides its part."""

    picture: Picture
    levels: Levels  # (size, size), ink 255
    digest: bytes  # of its grey levels at its own size: the same for any rules


def find_pictures(path: Path) -> Source:
    """The pictures at `path`, in any layout that is known.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    if path.suffix.lower() == ".npz" and path.is_file():
        found = read_npz(path)
    elif not path.is_dir():
        what = "is not a folder or an .npz file" if path.exists() else "does not exist"
        raise DataError(f"The path {path} {what}; give one that {LAYOUTS}.")
    else:
        inside = next((folder for folder in _idx_folders(path) if find_idx(folder)), None)
        found = read_idx_folder(inside) if inside else read_folder(path)
    if not found.pictures:
        counts = "; ".join(f"{count} {reason}" for reason, count in found.left_out.items() if count)
        raise DataError(
            f"There is no labelled picture in {path} (files that were left out: "
            f"{counts or 'none'}); give a path that {LAYOUTS}."
        )
    return found


LAYOUTS = (
    "has a folder per label with pictures in it, such as letters/a/1.png, a metadata.csv with "
    "the columns file_name and label, IDX files as MNIST's, or is an .npz file with images and "
    "labels"
)


def load_images(path: Path, rules: Rules, label_names: Sequence[str] = ()) -> DataSet:
    """The pictures at `path` as a data set.

    Args:
        path: a folder or an .npz file.
        rules: how pictures are brought to one form.
        label_names: other names for the labels, in their order; empty: as found.
    Raises:
        DataError: there is no picture to train on, or the names do not fit.
    """
    source = find_pictures(path)
    survey = Survey(source, rules)
    # In the order of their hashes, so that the first pictures are of all labels.
    normalised = sorted(normalise(source, survey), key=lambda item: item.digest)
    if not normalised:
        raise DataError(
            f"None of the {len(source.pictures)} pictures in {path} can be read "
            f"({survey.first_fault}); look at one of them with another program."
        )
    return _data_set(path, source, survey, normalised, label_names)


def normalise(source: Source, survey: Survey) -> Iterator[Normalised]:
    """Each readable picture in the form that is trained on; `survey` counts what is found."""
    survey.dark_ink = dark_ink(source, survey.rules)
    for picture in source.pictures:
        try:
            found = read_grey(picture)
        except UNREADABLE as error:
            survey.add_fault(picture, error)
            continue
        levels = square(found, survey.rules, survey.dark_ink)
        digest = hashlib.sha256(repr(found.levels.shape).encode() + found.levels.tobytes())
        survey.add(picture, found, levels, digest.digest())
        yield Normalised(picture, levels, digest.digest())


def read_grey(picture: Picture) -> Grey:
    """A picture's grey levels at its own size.

    Raises:
        OSError, ValueError, SyntaxError: the picture is damaged.
    """
    with picture.open() as image:
        return grey(image)


def dark_ink(source: Source, rules: Rules) -> bool:
    """Whether ink is darker than paper: as `rules` say, or as most pictures have it."""
    if rules.polarity != "auto":
        return rules.polarity == "dark-ink"
    papers = []
    for picture in source.pictures[:: max(1, len(source.pictures) // DECIDING)]:
        try:
            papers.append(read_grey(picture).paper)
        except UNREADABLE:
            continue  # counted when all pictures are read
    return 2 * sum(paper > MIDDLE for paper in papers) > len(papers)


def _data_set(
    path: Path,
    source: Source,
    survey: Survey,
    normalised: list[Normalised],
    label_names: Sequence[str],
) -> DataSet:
    tests = _are_test(normalised)
    trained = Counter(
        item.picture.label for item, test in zip(normalised, tests, strict=True) if not test
    )
    labels = [label for label in source.ordered_labels if trained[label]]
    names = _names(source.ordered_labels, labels, label_names)
    number = {label: index for index, label in enumerate(labels)}
    parts = [
        [
            (item.levels, number[item.picture.label])
            for item, test in zip(normalised, tests, strict=True)
            if test == wanted and item.picture.label in number
        ]
        for wanted in (False, True)
    ]
    train, test = (_images(part or parts[0]) for part in parts)
    name = _name(path)
    return DataSet(
        name=name,
        subject=f"the pictures of {name}",
        about=_about(path, source, survey, len(train) + len(test)),
        label_names=names,
        train=train,
        test=test,
        facts=f"{survey.facts()}; {_split(normalised)}",
        notes=(
            *survey.notes(),
            *_untested(normalised, tests),
            *_missing(source, labels, train, test),
        ),
    )


def _are_test(normalised: list[Normalised]) -> list[bool]:
    """Whether each picture is a test picture: as given, or by the hash of its grey levels.

    Equal pictures of a label have equal hashes, so none is in both parts. A label of one picture
    keeps it for training.
    """
    given = {item.picture.part for item in normalised}
    if TEST in given and given != {TEST}:
        return [item.picture.part == TEST for item in normalised]
    if VALIDATION in given and len(given) > 1:
        return [item.picture.part == VALIDATION for item in normalised]
    return _tenth_of_each_label(normalised)


def _tenth_of_each_label(normalised: list[Normalised]) -> list[bool]:
    """Whether each picture is one of the tenth of its label with the lowest hashes."""
    digests: dict[str, list[bytes]] = {}
    for item in normalised:
        digests.setdefault(item.picture.label, []).append(item.digest)
    last = {}  # the highest hash of a label's test pictures
    for label, found in digests.items():
        found.sort()
        at = found[max(1, round(TEST_SHARE * len(found))) - 1]
        if at < found[-1]:  # else nothing were left to train on
            last[label] = at
    return [item.digest <= last.get(item.picture.label, b"") for item in normalised]


def _split(normalised: list[Normalised]) -> str:
    given = {item.picture.part for item in normalised}
    as_given = len(given) > 1 and given & {TEST, VALIDATION}
    return "split as given" if as_given else "one of ten of each label to the test part, by hash"


def _names(all_labels: list[str], labels: list[str], given: Sequence[str]) -> tuple[str, ...]:
    if not given:
        return _usable(labels)
    if len(given) != len(all_labels) or len(set(given)) != len(given) or not all(given):
        raise DataError(
            f"The option --label-names has {len(given)} names for {len(all_labels)} labels "
            f"({_listed(all_labels)}); give one "
            "name for each label, in this order, all different."
        )
    renamed = dict(zip(all_labels, given, strict=True))
    return _usable([renamed[label] for label in labels])


def _usable(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if a checkpoint can have them: it is written only after the training."""
    for name in names:
        try:
            check_names([name], 1)
        except ValueError as error:
            raise DataError(
                f"The label {name!a} cannot be used: it has {len(name)} characters, expected 1 to "
                f"{MAX_NAME}, all of them printable; rename it, or pass --label-names."
            ) from error
    return tuple(names)


def _name(path: Path) -> str:
    """What the data set is called: as its folder, or its file without the ending."""
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


def _images(part: list[tuple[Levels, int]]) -> LabelledImages:
    levels = np.stack([levels for levels, _ in part])
    labels = torch.tensor([label for _, label in part], dtype=torch.int64)
    return LabelledImages(torch.from_numpy(levels), labels)


def _untested(normalised: list[Normalised], tests: list[bool]) -> Iterator[str]:
    """What the test part lacks."""
    if not any(tests):
        yield "There are too few pictures for a test part, so the test loss is of those trained on."
    parts: tuple[set[bytes], set[bytes]] = set(), set()
    for item, test in zip(normalised, tests, strict=True):
        parts[test].add(item.digest)
    if shared := len(parts[False] & parts[True]):
        yield f"Test pictures that are trained on too: {shared}; the test loss flatters."


def _missing(
    source: Source, labels: list[str], train: LabelledImages, test: LabelledImages
) -> Iterator[str]:
    """What the labels lack."""
    empty = [label for label in source.ordered_labels if label not in labels]
    if empty:
        yield f"Labels with no picture to train on, left out: {len(empty)} ({_listed(empty)})."
    if len(labels) == 1:
        yield (
            f"There is one label only ({labels[0]}), so labels decide nothing; --no-conditional "
            "trains the same without them."
        )
    untested = len(labels) - len(set(test.labels.tolist()))
    if untested:
        yield f"Labels with no test picture: {untested}; the test loss does not show them."
    fewest = int(torch.bincount(train.labels, minlength=len(labels)).min())
    if fewest < ENOUGH:
        yield (
            f"Training pictures of the rarest label: {fewest}; below about {ENOUGH} a network "
            "repeats them rather than learning how they vary."
        )


def _about(path: Path, source: Source, survey: Survey, count: int) -> str:
    name, rules = _name(path), survey.rules
    text = (
        f"The model was trained on {count:,} pictures of {name}, read from {source.layout} and "
        f"brought to {rules.size} x {rules.size} grey levels ("
        f"{'dark' if survey.dark_ink else 'light'} ink; fit {rules.fit}, contrast "
        f"{rules.contrast}). It draws no other labels, styles or sizes."
    )
    readme = path / "README.md"
    if readme.is_file():
        words = readme.read_text(errors="replace").strip()
        if words.startswith("---"):  # the fields of a data card of Hugging Face
            words = words.partition("---")[2].partition("\n---")[2].strip()
        quoted = "\n".join(f"> {line}" for line in words[:ABOUT_LENGTH].splitlines())
        text += f"\n\nThe README.md of these pictures begins:\n\n{quoted}"
    return text


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:SHOWN]) + (", ..." if len(labels) > SHOWN else "")


def _idx_folders(path: Path) -> list[Path]:
    return [folder for folder in (path, path / "raw", path / "MNIST" / "raw") if folder.is_dir()]
