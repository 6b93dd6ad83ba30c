"""`python slim.py FOLDER`: removes from site-packages what the service never loads.

Runs while the image is built; then rehearse.py checks that nothing needed is gone. Everything that
is removed is named here, with the reason. A name that matches nothing is reported, so that the
list stays current.
"""

import shutil
import sys
from pathlib import Path

REMOVED = {
    "for type checkers and C compilers": (
        *("**/*.pyi", "**/*.pxd", "numpy/_core/include", "numpy/_core/lib", "numpy/random/lib"),
        *("numpy/f2py", "numpy/_pyinstaller"),
    ),
    "the packages' own tests": ("**/tests",),
    "the engine for C programs; Python's extension contains it": (
        "onnxruntime/capi/libonnxruntime.so*",
    ),
    "tools that make or convert graphs": (
        *("onnxruntime/transformers", "onnxruntime/quantization", "onnxruntime/tools"),
        *("onnxruntime/backend", "onnxruntime/datasets"),
    ),
    "declared by onnxruntime, imported only by those tools": (
        *("google", "protobuf-*", "flatbuffers", "flatbuffers-*"),
    ),
    "declared by uvicorn, for web sockets and log settings in YAML": (
        *("websockets", "websockets-*", "yaml", "_yaml", "pyyaml-*"),
    ),
    "decoders and fonts that no picture needs": (
        *("PIL/_avif*", "PIL/_imagingft*", "PIL/_imagingcms*", "PIL/_imagingtk*"),
        *("pillow.libs/libavif*", "pillow.libs/libfreetype*", "pillow.libs/libharfbuzz*"),
        *("pillow.libs/liblcms2*", "pillow.libs/libbrotli*", "pillow.libs/libpng*"),
    ),
}


def slim(folder: Path) -> int:
    """Remove everything of `REMOVED` below `folder`, and return the number of bytes."""
    freed = 0
    for reason, patterns in REMOVED.items():
        for pattern in patterns:
            found = sorted(folder.glob(pattern))
            if not found:
                _say(f"nothing matches {pattern} ({reason}); remove it from the list")
            freed += sum(_remove(path) for path in found)
    return freed


def _remove(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        size = sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
        shutil.rmtree(path)
        return size
    size = path.lstat().st_size
    path.unlink()
    return size


def _say(text: str) -> None:
    sys.stdout.write(f"slim: {text}\n")


if __name__ == "__main__":
    _say(f"removed {slim(Path(sys.argv[1])) / 1e6:.0f} MB")
