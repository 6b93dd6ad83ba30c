"""What a finished data set says of itself: the manifest for programs, the card for people."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from app import __version__
from app.drawing.dataset.labels import PADDING

TYPES = {"label": "int64", "text": "string", "writer": "int64", "boxes": "string"}  # in tables
LOADED = {  # how a data set is read
    "npz": 'data = numpy.load("{file}")\nimages = data["images"]',
    "idx": 'train = torchvision.datasets.MNIST("{folder}", train=True)',
    "imagefolder": """features = datasets.Features(
    {{"image": datasets.Image(){features}}}
)
data = datasets.load_dataset("imagefolder", data_dir="{folder}", features=features)""",
    "parquet": 'data = datasets.load_dataset("parquet", data_dir="{folder}")',
    "webdataset": 'data = webdataset.WebDataset("{file}", shardshuffle=False).decode("l")',
    "zip": 'data = zipfile.ZipFile("{file}")',
}


def manifest(
    description: dict[str, Any],
    shards: Sequence[dict[str, Any]],
    files: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """The manifest of a data set.

    Args:
        description: everything that its bytes depend on.
        shards: the record of each shard.
        files: name, bytes and sha256 of the files that are not one shard.
    """
    splits: dict[str, int] = {}
    for shard in shards:
        splits[shard["split"]] = splits.get(shard["split"], 0) + shard["images"]
    return {
        **description,
        "images": sum(splits.values()),
        "splits": splits,
        "digits": [sum(counts) for counts in zip(*(s["digits"] for s in shards), strict=True)],
        "versions": {
            "cvae-digits": __version__,
            **{name: version(name) for name in ("numpy", "onnxruntime")},
        },
        "shards": list(shards),
        "files": list(files),
    }


def card(document: dict[str, Any]) -> str:
    """The data card of a manifest, in Markdown."""
    splits = "\n".join(f"| {name} | {count:,} |" for name, count in document["splits"].items())
    digits = " | ".join(f"{count:,}" for count in document["digits"])
    file = document["shards"][0]["file"]
    features = "".join(
        f', "{name}": datasets.Value("{TYPES[name]}")' for name in document["columns"]
    )
    loaded = LOADED[document["format"]].format(file=file, folder=".", features=features)
    return f"""# Handwritten numbers

{document["images"]:,} pictures of handwritten numbers with their labels, drawn by a Conditional
Variational Auto-Encoder that was trained on MNIST (cvae-digits {__version__}). No person wrote
them; a label is what the model was asked to draw, and about one digit in 200 is not read as it.

| split | pictures |
|---|---|
{splits}

| 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 |
|---|---|---|---|---|---|---|---|---|---|
| {digits} |

- Options: `{document["options"]}`, seed {document["seed"]}, model {document["model"]}.
- Padding of `digits` in npz: {PADDING}. Boxes: left, top, right, bottom; the last two exclusive.
- `manifest.json` has versions and the SHA-256 of every shard.

```python
{loaded}
```
"""
