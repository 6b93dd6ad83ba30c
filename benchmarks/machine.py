"""The facts about a machine that its figures depend on."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OURS = ("fastapi", "numpy", "onnxruntime", "starlette", "uvicorn", "uvloop")
THEIRS = ("bentoml", "fastapi", "litserve", "pillow", "torch", "uvicorn")
VERSIONS = """
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""


def machine_facts(ours: str, theirs: str | None = None) -> dict[str, Any]:
    """Processor, cores, load, versions.

    Args:
        ours: Python of the service's environment.
        theirs: Python of the peers' environment, if they are measured.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average_before": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "wrk": _wrk(),
        "ours": _versions(ours, OURS),
        "peers": {} if theirs is None else _versions(theirs, THEIRS),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    details = {name.strip(): value.strip() for name, value in fields.items()}
    cache = details.get("cache size", "unknown")
    name = details.get("model name", platform.machine())
    return f"{name}, family {details.get('cpu family')}, model {details.get('model')}, {cache}"


def _wrk() -> str:
    # It prints its version with its usage, and exits with an error.
    done = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split()[:2])


def _versions(python: str, packages: tuple[str, ...]) -> dict[str, str]:
    command = [python, "-c", VERSIONS, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))
