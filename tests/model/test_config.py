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
def test_weight_shapes_are_those_of_the_network(conditional: bool, hidden: tuple[int, ...]) -> None:
    config = ARTICLE.model_copy(update={"hidden": hidden, "conditional": conditional})
    weights = CVAE(config).state_dict()
    assert config.weight_shapes() == {name: tuple(w.shape) for name, w in weights.items()}


@pytest.mark.parametrize(
    "change", [{"latent": 0}, {"hidden": []}, {"conditional": "yes"}, {"depth": 3}]
)
def test_config_bad_field_raises(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CVAEConfig.model_validate({**ARTICLE.model_dump(), **change})


def test_config_has_no_defaults() -> None:
    with pytest.raises(ValidationError) as caught:
        CVAEConfig.model_validate({})
    assert {error["loc"][0] for error in caught.value.errors()} == set(CVAEConfig.model_fields)
