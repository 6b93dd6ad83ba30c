"""`python -m app.site.article CHECKPOINT`: keep the article's decoder for the page.

The page shows it beside the model that it draws with. The file is part of the repository, so that
the page does not depend on a training run; train a new one with `make train`.
"""

import sys
from pathlib import Path

import numpy as np

from app.site.rounding import ARTICLE_STEPS, rounded_part
from model.checkpoint import Checkpoint, read_checkpoint

ARTICLE = Path(__file__).parent / "article.safetensors"

EXAMPLES = 2000  # of its inputs


def rounded_decoder(checkpoint: Checkpoint) -> bytes:
    """The decoder of a checkpoint, rounded."""
    rng, config = np.random.default_rng(0), checkpoint.config
    noise = rng.standard_normal((EXAMPLES, config.latent))
    labels = np.eye(config.classes)[rng.integers(config.classes, size=EXAMPLES)]
    return rounded_part(checkpoint, "decoder", ARTICLE_STEPS, np.hstack([noise, labels]))


if __name__ == "__main__":
    ARTICLE.write_bytes(rounded_decoder(read_checkpoint(Path(sys.argv[1]))))
