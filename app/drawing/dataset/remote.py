"""A data set on another file system, through fsspec: its shards are made here and sent."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.drawing.dataset.forms import FORMS, INCOMPLETE
from app.drawing.dataset.plan import Shard
from app.drawing.dataset.shards import CARD, DESCRIPTION, MANIFEST, record_name
from app.request.error import Reason, RequestError
from model.content import one_line


def is_address(output: str) -> bool:
    """Whether an output is on a file system of fsspec, such as s3://bucket/numbers."""
    return "://" in output


class Remote:
    """A folder that fsspec opens by its address.

    An object store shows a file as a whole or not at all. A record is sent after its shard, so the
    folder has the same states as a local one, and a run resumes in the same way.
    """

    def __init__(self, address: str) -> None:
        """Open the file system.

        Raises:
            RequestError: there is no such file system, or what it needs is not installed.
        """
        self.address = address
        try:
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise RequestError(
                Reason.INVALID,
                f"{address} cannot be opened: {one_line(error)}; install fsspec and what it needs "
                "for that address, such as s3fs, or name a local folder.",
            ) from error

    def fetch(self, folder: Path) -> None:
        """Copy what tells the state of the data set: description, records, manifest.

        Raises:
            RequestError: the remote folder holds something else.
            OSError: it cannot be read.
        """
        with self._as_os_error():
            self._files.invalidate_cache()
            inside = f"{self._root}/{INCOMPLETE}"
            names = [f"{INCOMPLETE}/{Path(each).name}" for each in self._listed(inside)]
            if self._files.exists(f"{self._root}/{MANIFEST}"):
                names += [CARD, MANIFEST]
            if not names and self._listed(self._root):
                raise RequestError(
                    Reason.INVALID,
                    f"{self.address} holds other files; expected a new or empty folder, or the "
                    "same data set.",
                )
            for name in names:
                if not (folder / name).exists():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(self._files.cat_file(f"{self._root}/{name}"))

    def send(self, folder: Path, name: str) -> None:
        """Copy a file of the local folder.

        Raises:
            OSError: it cannot be written.
        """
        with self._as_os_error():
            path = f"{self._root}/{name}"
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(folder / name), path)

    def complete(self, folder: Path) -> None:
        """Send the data card and the manifest, and remove what was for the time in between.

        Raises:
            OSError: it cannot be written.
        """
        for name in (CARD, MANIFEST):
            self.send(folder, name)
        with self._as_os_error(), suppress(FileNotFoundError):  # where another run was faster
            self._files.rm(f"{self._root}/{INCOMPLETE}", recursive=True)

    def _listed(self, folder: str) -> list[str]:
        try:
            return list(self._files.ls(folder, detail=False))
        except FileNotFoundError:
            return []

    @contextmanager
    def _as_os_error(self) -> Iterator[None]:
        """Make an `OSError` with the address of whatever a file system raises."""
        try:
            yield
        except RequestError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise OSError(0, one_line(error).rstrip("."), self.address) from error


def send_description(remote: Remote, folder: Path) -> None:
    """Send what the data set is, before its first shard."""
    remote.send(folder, f"{INCOMPLETE}/{DESCRIPTION}")


def send_shard(address: str, folder: Path, shard: Shard) -> None:
    """Send a shard and then its record, and remove the shard here."""
    remote = Remote(address)
    name = FORMS[shard.section.description.format].name(shard)
    for each in (name, record_name(shard)):
        remote.send(folder, each)
    (folder / name).unlink()
