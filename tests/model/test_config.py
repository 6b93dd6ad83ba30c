import pytest
from pydantic import ValidationError

from model.config import ARTICLE, CVAEConfig
from model.cvae import CVAE


def test_article_has_the_sizes_of_the_article() -> None:
    assert ARTICLE.encoder_sizes == (794, 512, 512)
    assert ARTICLE.decoder_sizes == (266, 512, 512, 784)
    assert ARTICLE.latent == 256


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("hidden", [(7,), (9, 8, 7)])
@pytest.mark.parametrize("side", [1, 2])
def test_weight_shapes_are_those_of_the_network(
    conditional: bool, hidden: tuple[int, ...], side: int
) -> None:
    form = {"hidden": hidden, "conditional": conditional, "supersampling": side}
    config = ARTICLE.model_copy(update=form)
    weights = CVAE(config).state_dict()
    assert config.weight_shapes() == {name: tuple(w.shape) for name, w in weights.items()}


@pytest.mark.parametrize(
    "change", [{"latent": 0}, {"hidden": []}, {"conditional": "yes"}, {"depth": 3}]
)
def test_config_bad_field_raises(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CVAEConfig.model_validate({**ARTICLE.model_dump(), **change})


@pytest.mark.parametrize("canvas", [27, 28.0, 65])
def test_config_canvas_that_holds_no_box_raises(canvas: float) -> None:
    with pytest.raises(ValidationError):
        CVAEConfig.model_validate({**ARTICLE.model_dump(), "canvas": canvas})


def test_only_what_older_checkpoints_lack_has_a_default() -> None:
    with pytest.raises(ValidationError) as caught:
        CVAEConfig.model_validate({})
    missing = {error["loc"][0] for error in caught.value.errors()}
    assert set(CVAEConfig.model_fields) - missing == {"canvas", "overshoot", "supersampling"}


def test_picture_is_the_canvas_or_what_the_network_draws() -> None:
    assert ARTICLE.picture_size == (28, 28)
    box = ARTICLE.model_copy(update={"image_height": 20, "image_width": 20, "canvas": 28})
    assert box.picture_size == (28, 28)
    assert box.decoder_sizes[-1] == 400


def test_decoder_draws_all_subpixels() -> None:
    fine = ARTICLE.model_copy(update={"supersampling": 3})
    assert (fine.subpixels, fine.decoder_sizes[-1]) == (9, 9 * 784)
    assert fine.picture_size == ARTICLE.picture_size
    with pytest.raises(ValidationError):
        CVAEConfig.model_validate({**ARTICLE.model_dump(), "supersampling": 9})
