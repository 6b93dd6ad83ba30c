"""A local image under the name python:X.Y.Z-slim, for machines that cannot reach a registry.

It consists of Debian, by mmdebstrap from the package sources of this machine, and of this
machine's Python X.Y in /usr/local, as in the official image. Tests on it show that the Dockerfile
and the service work, but nothing about the content of the official image.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The libraries of Python's extension modules, as in the official image.
LIBRARIES = (
    *("ca-certificates", "netbase", "tzdata", "libssl3", "libsqlite3-0", "libffi8", "zlib1g"),
    *("libreadline8", "libbz2-1.0", "liblzma5", "libuuid1", "libncursesw6", "libexpat1"),
    *("libnsl2", "libtirpc3", "libcrypt1", "libstdc++6", "usr-is-merged"),
)
# Debian merges /usr with a program that depends on Perl; the official image has none.
WITHOUT_PERL = "apt-get purge --yes usrmerge '^perl$' '^perl-modules' '^libperl'"
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")
NOT_IN_THE_OFFICIAL_IMAGE = (
    *("__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3"),
    *("_tkinter*", "*.a", "config-3*", "pkgconfig", "*.pth"),
)
MOUNT_POINTS = ("etc/pip.conf", "etc/resolv.conf", "etc/hostname")
PYTHON_CHECK = "import bz2, ctypes, ensurepip, lzma, sqlite3, ssl, uuid, venv, zlib"
CONFIGURATION = (
    *("--env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--env", "LANG=C.UTF-8"),
    *("--label", "stand-in=true", "--cmd", "python3"),
)
LIMIT_S = 300


class NoStandIn(Exception):
    """A stand-in cannot be made; the message says why."""


def make_stand_in(reference: str) -> None:
    """Make the image `reference`, such as python:3.12.12-slim-bookworm, in podman's storage.

    Raises:
        NoStandIn: a program or the right Python is missing, or a step failed.
    """
    name = re.fullmatch(r"(?:.*/)?python:(\d+\.\d+)[.\d]*-slim.*", reference)
    if not name:
        raise NoStandIn(f"no registry answers for {reference}, and it is not a slim Python image")
    if not shutil.which("mmdebstrap"):
        raise NoStandIn(f"no registry answers for {reference}, and mmdebstrap is not installed")
    prefix = find_python(name[1])
    with _new_container() as (container, root):
        _debian(root)
        _copy_python(prefix, name[1], root)
        for point in MOUNT_POINTS:
            (root / point).write_bytes(b"")
        _run("buildah", "config", *CONFIGURATION, container)
        _run("buildah", "commit", "--format", "docker", "--quiet", container, reference)


def find_python(version: str) -> Path:
    """The folder of a Python `version` that can be copied, with bin, lib and include.

    Raises:
        NoStandIn: this machine has none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [str(path) for path in pyenv.glob(f"versions/{version}.*/bin/python3")]
    for program in [*found, shutil.which(f"python{version}") or "python3"]:
        done = subprocess.run(
            [program, "-c", "import sys; print(sys.base_prefix)"],
            capture_output=True,
            text=True,
            check=False,
        )
        prefix = Path(done.stdout.strip())
        if done.returncode == 0 and prefix != Path("/usr"):  # Debian's is scattered
            return prefix
    raise NoStandIn(f"no registry answers, and no Python {version} here can stand in")


@contextmanager
def _new_container() -> Iterator[tuple[str, Path]]:
    container = _run("buildah", "from", "scratch")
    try:
        yield container, Path(_run("buildah", "mount", container))
    finally:
        _run("buildah", "rm", container)


def _debian(root: Path) -> None:
    sources = Path("/etc/apt")
    lists = [*sources.glob("sources.list"), *sources.glob("sources.list.d/debian.*")]
    release = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())
    if not lists or not release:
        raise NoStandIn("no registry answers, and this machine does not run Debian")
    _run(
        *("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(LIBRARIES)}"),
        *(f"--aptopt={line}" for line in _apt_options()),
        *(f"--dpkgopt=path-exclude=/{folder}/*" for folder in UNUSED),
        f'--customize-hook=chroot "$1" {WITHOUT_PERL}',
        *("--dpkgopt=force-unsafe-io", release[1], str(root), *map(str, lists)),
    )


def _apt_options() -> list[str]:
    """The options by which this machine reaches its package sources."""
    wanted = re.compile(r'Acquire::(Check-|http|https|CA).* "[^"]')
    return [line for line in _run("apt-config", "dump").splitlines() if wanted.match(line)]


def _copy_python(prefix: Path, version: str, root: Path) -> None:
    unused = shutil.ignore_patterns(*NOT_IN_THE_OFFICIAL_IMAGE)
    packages = f"python{version}/site-packages"

    def ignore(folder: str, names: list[str]) -> set[str]:
        if folder.endswith(packages):
            return {name for name in names if not name.startswith("pip")}
        if folder == str(prefix / "bin"):
            return {name for name in names if not re.match("python|pip", name)}
        return unused(folder, names)

    for part in ("bin", "lib", "include"):
        shutil.copytree(
            prefix / part,
            root / "usr/local" / part,
            symlinks=True,
            ignore=ignore,
            dirs_exist_ok=True,
        )
    for script in (root / "usr/local/bin").glob("pip*"):
        script.write_text(script.read_text().replace(f"{prefix}/bin/", "/usr/local/bin/"))
    local = root / "usr/local/lib"
    libraries = [*local.glob("libpython*.so*"), *local.glob("python*/lib-dynload/*.so")]
    _run("strip", "--strip-unneeded", *map(str, libraries))
    _run("chroot", str(root), "/sbin/ldconfig")
    _run("chroot", str(root), "/usr/local/bin/python3", "-B", "-c", PYTHON_CHECK)


def _run(*command: str) -> str:
    environment = {**os.environ, "TMPDIR": "/tmp", "LC_ALL": "C.UTF-8"}
    for name in ("PYTHONHOME", "PYTHONPATH"):
        environment.pop(name, None)
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise NoStandIn(f"no stand-in for the base image: {command[0]}: {done.stderr[-500:]}")
    return done.stdout.strip()
