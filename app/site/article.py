"""`python -m app.site.article CHECKPOINT`: keep the article's decoder for the page.

The page shows it beside the model that it draws with. The file is part of the repository, so that
the page does not depend on a training run; train a new one with `make train`.
"""

import sys
from pathlib import Path

from app.site.rounding import ARTICLE_STEPS, rounded_part
from model.checkpoint import read_checkpoint

ARTICLE = Path(__file__).parent / "article.safetensors"

if __name__ == "__main__":
    ARTICLE.write_bytes(rounded_part(read_checkpoint(Path(sys.argv[1])), "decoder", ARTICLE_STEPS))
