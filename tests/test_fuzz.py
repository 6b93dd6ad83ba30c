"""The targets of `python -m fuzz` in short: their seeds and changed copies of them."""

import random
from importlib import import_module
from pathlib import Path

import pytest

import fuzz

TARGETS = sorted(path.stem for path in Path(fuzz.__path__[0]).glob("[!_]*.py"))
COPIES = 20


@pytest.mark.parametrize("name", TARGETS)
def test_target_finds_nothing_in_its_seeds_and_changed_copies(name: str) -> None:
    target, chance = import_module(f"fuzz.{name}"), random.Random(0)
    for seed in target.seeds():
        target.try_bytes(seed)
        for _ in range(COPIES):
            changed = bytearray(seed)
            for _ in range(3):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            target.try_bytes(bytes(changed))
