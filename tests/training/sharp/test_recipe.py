from itertools import pairwise

import pytest
from pydantic import ValidationError

from model.config import ARTICLE, CVAEConfig
from training.sharp.recipe import SHARP, Recipe


def products(config: CVAEConfig) -> int:
    """Multiplications per digit in the decoder."""
    sizes = config.decoder_sizes
    return sum(inputs * outputs for inputs, outputs in pairwise(sizes))


def test_sharp_decoder_costs_no_more_than_that_of_the_article() -> None:
    assert products(SHARP.architecture) <= products(ARTICLE)


def test_teacher_and_student_share_noise_and_labels() -> None:
    student, teacher = SHARP.architecture, SHARP.teacher_architecture
    assert (student.latent, student.classes) == (teacher.latent, teacher.classes)
    assert student.conditional
    assert teacher.conditional


def test_recipe_unknown_setting_raises() -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({**SHARP.model_dump(), "colour": "red"})
