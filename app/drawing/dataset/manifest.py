"""What a finished data set says of itself: the manifest for programs, the card for people."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from app import __version__

DIGITS = [str(digit) for digit in range(10)]
TYPES = {
    "label": "int64",
    "name": "string",
    "text": "string",
    "writer": "int64",
    "boxes": "string",
}  # in tables
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
        files: name, bytes and, unless shards have it, sha256 of the files that are not one shard.
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
    names = document.get("label_names", DIGITS)
    counts = "\n".join(
        f"| {name.replace('|', chr(92) + '|')} | {count:,} |"
        for name, count in zip(names, document["digits"], strict=True)
    )
    file = document["shards"][0]["file"]
    features = "".join(
        f', "{name}": datasets.Value("{TYPES[name]}")' for name in document["columns"]
    )
    loaded = LOADED[document["format"]].format(file=file, folder=".", features=features)
    numbers = "label_names" not in document
    title = "Handwritten numbers" if numbers else "Drawn pictures"
    return f"""# {title}

{document["images"]:,} {"pictures of handwritten numbers" if numbers else "pictures"} with their
labels, drawn by a Conditional Variational Auto-Encoder that was trained on this data:
{document["trained_on"]} (cvae-digits {__version__}). No person made them; a label is what the
model was asked to draw, and some pictures are not read as it: see `metrics` of the model's card.

| split | pictures |
|---|---|
{splits}

| label | count |
|---|---|
{counts}

- Options: `{document["options"]}`, seed {document["seed"]}, model {document["model"]}.
- Padding of `digits` in npz: {len(names)}. Boxes: left, top, right, bottom; the last two exclusive.
- `manifest.json` has versions and the SHA-256 of every shard.

```python
{loaded}
```
"""
