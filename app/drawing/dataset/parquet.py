"""Data sets as Parquet, in which `datasets` shows the pictures."""

import json
from typing import Any

from app.drawing.dataset.encoder import encode_pngs, label_names, label_values
from app.drawing.dataset.outbox import Outbox
from app.drawing.dataset.section import Batch, Section
from app.request.error import invalid

FEATURES: dict[str, dict[str, Any]] = {  # what `datasets` makes of each column
    "image": {"_type": "Image"},
    "label": {"_type": "ClassLabel"},
    "name": {"_type": "Value", "dtype": "string"},
    "text": {"_type": "Value", "dtype": "string"},
    "writer": {"_type": "Value", "dtype": "int64"},
    "boxes": {
        "_type": "List",
        "feature": {"_type": "List", "feature": {"_type": "Value", "dtype": "int16"}},
    },
}


class ParquetEncoder:
    """The columns `image` (a PNG), `label` or `text`, and `writer` and `boxes` if there are any."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._columns = label_names(section)
        self._arrow = _arrow()
        self._outbox = Outbox()
        self._schema = self._make_schema()
        self._writer = self._arrow.parquet.ParquetWriter(
            self._arrow.PythonFile(self._outbox, "w"), self._schema
        )

    def begin(self) -> bytes:
        """See `Encoder.begin`."""
        return self._outbox.take()

    def add(self, batch: Batch) -> bytes:
        """See `Encoder.add`."""
        pictures = encode_pngs(self._section, batch)
        columns = label_values(self._section, batch)
        images = [
            {"bytes": picture, "path": f"{row:010d}.png"}
            for row, picture in enumerate(pictures, batch.first)
        ]
        self._writer.write_table(self._arrow.table([images, *columns], schema=self._schema))
        return self._outbox.take()

    def end(self) -> bytes:
        """See `Encoder.end`."""
        self._writer.close()
        return self._outbox.take()

    def _make_schema(self) -> Any:
        arrow = self._arrow
        types = {
            "image": arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())]),
            "label": arrow.int64(),
            "name": arrow.string(),
            "text": arrow.string(),
            "writer": arrow.int64(),
            "boxes": arrow.list_(arrow.list_(arrow.int16())),
        }
        names = ["image", *self._columns]
        features = {name: dict(FEATURES[name]) for name in names}
        if "label" in features:
            features["label"]["names"] = list(self._section.description.alphabet.names)
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        return arrow.schema([(name, types[name]) for name in names], metadata)


def _arrow() -> Any:
    """pyarrow, which the service does without.

    Raises:
        InvalidRequest: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise invalid(
            "format", "parquet needs pyarrow; install cvae-digits[datasets], or pyarrow"
        ) from error
    return pyarrow
