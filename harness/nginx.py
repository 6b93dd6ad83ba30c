"""The shipped nginx configuration, run by a real nginx in front of a service."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.launcher import ROOT, Command, Service, free_port, is_listening, running

CONFIGURATION = (ROOT / "deploy" / "proxy" / "nginx.conf").read_text()
LISTEN = "listen 8080;"
UPSTREAM = "server digits:8000"


class MissingProgramError(Exception):
    """A program that a trial or test needs is not installed; the message names it."""


@contextmanager
def nginx(upstream: int, changes: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Start nginx with the shipped configuration on a free port, in a folder of its own.

    Args:
        upstream: port of the service behind it.
        changes: other texts of the configuration -> their replacements.
    Raises:
        MissingProgramError: nginx is not installed.
    """
    program = find_nginx()
    port = free_port()
    # Not in a private folder: as root, nginx works as another user, who needs access to it.
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        addresses = {
            LISTEN: f"listen 127.0.0.1:{port};",
            UPSTREAM: f"server 127.0.0.1:{upstream}",
            " /tmp/nginx": f" {folder}/nginx",
        }
        file = folder / "nginx.conf"
        file.write_text(replaced(CONFIGURATION, {**(changes or {}), **addresses}))
        arguments = (program, "-p", name, "-c", str(file), "-g", "daemon off;")
        with running(command=Command(arguments, is_listening), port=port) as proxy:
            yield proxy


def find_nginx() -> str:
    """The path of nginx.

    Raises:
        MissingProgramError: it is not installed.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise MissingProgramError("nginx is not installed; run `apt-get install nginx-light`.")
    return found


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """The text with all changes made.

    Raises:
        ValueError: the text does not contain what a change replaces.
    """
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"The text does not contain {old!r}; change what it contains.")
        text = text.replace(old, new)
    return text
