"""The service's configuration; the only reader of the environment (prefix CVAE_)."""

import argparse
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.request.size import MAX_PIXELS
from model.checkpoint import PRETRAINED
from model.engine import EngineName, Precision

LogForm = Literal["text", "json"]
Port = Annotated[int, Field(ge=0, le=65535)]

PROGRAM = "cvae-digits serve"
PREFIX = "CVAE_"
KUBERNETES = "CVAE_DIGITS_"  # variables by which Kubernetes describes a Service of this name
NOT_OPTIONS = {"api_keys"}  # every user of the machine sees the options of a process
PLACEHOLDERS = {int: "NUMBER", float: "SECONDS", str: "TEXT"}


class SettingError(Exception):
    """A setting that turns out to be unusable at the start; the message is one full sentence."""


def _has_trace_endpoint() -> bool:
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return any(os.environ.get(name) for name in names) and not disabled


class Settings(BaseSettings):
    """Every setting, from its argument or else from its variable in the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # it may be a secret
        env_ignore_empty=True,  # as Docker Compose passes what is not set
    )

    checkpoint: Path = Field(PRETRAINED, description="checkpoint folder to draw with")
    engine: EngineName = Field("onnx", description="runs the model; torch needs the extra train")
    precision: Precision = Field("int8", description="arithmetic of the decoder; int8 is faster")
    host: str = Field(
        "127.0.0.1", min_length=1, description="address to listen on, for example 0.0.0.0 for all"
    )
    port: Port = Field(8000, description="port to listen on; 0 takes a free one")
    workers: int = Field(1, ge=1, le=256, description="processes that serve, one for each core")
    log: LogForm = Field("text", description="form of the log; json is one JSON object a line")
    access_log: bool = Field(
        True,
        description="log each request except probes and most refusals of overload; on by default",
    )
    metrics_port: Port = Field(
        0, description="port for the metrics alone; 0 serves /metrics on the main port"
    )
    metrics_folder: Path | None = Field(
        None, description="folder where several workers count together; made if not given"
    )
    tracing: bool = Field(
        default_factory=_has_trace_endpoint,
        description="send OpenTelemetry traces; on if OTEL_EXPORTER_OTLP_ENDPOINT is set",
    )
    page: bool = Field(
        True, description="serve the page, with the weights it draws with; on by default"
    )
    api_keys: SecretStr | None = Field(None, description="keys that may draw, with commas between")
    api_keys_file: Path | None = Field(None, description="file with keys that may draw, one a line")
    cors_origins: str = Field(
        "",
        description="origins whose scripts may read answers, separated by commas, for example "
        "https://a.example,https://b.example or * for all",
        pattern=r"^(\*|https?://[^/,\s]+(,https?://[^/,\s]+)*)?$",
    )
    watch_seconds: float = Field(
        0, ge=0, le=3600, description="interval of looking for a new checkpoint; 0: only on SIGHUP"
    )
    drain_seconds: float = Field(
        0, ge=0, le=600, description="time after SIGTERM to answer requests without being ready"
    )
    shutdown_seconds: int = Field(
        30, ge=1, le=3600, description="time that requests in progress may take at shutdown"
    )
    backlog: int = Field(
        64, ge=2, le=4096, description="requests that may wait; further ones get 503"
    )
    heavy_threads: int = Field(2, ge=1, le=64, description="threads for heavy drawings")
    heavy_queue: int = Field(
        16, ge=0, le=1024, description="heavy drawings that may wait; further ones get 503"
    )
    max_pixels: int = Field(
        MAX_PIXELS,
        ge=2**18,
        le=MAX_PIXELS,
        description="pixels of a picture, or of all frames of an animation",
    )
    max_unsent_bytes: int = Field(
        48 * 2**20,
        ge=2**20,
        description="bytes drawn and not yet taken, of all clients together; beyond that, 503",
    )
    stall_seconds: int = Field(
        30, ge=1, le=3600, description="time after which a client that takes nothing is cut off"
    )
    max_upload_bytes: int = Field(8 * 2**20, ge=2**10, le=2**26, description="bytes of an upload")


def read_settings(arguments: list[str] | None = None) -> Settings:
    """The settings from the environment and, if given, from command-line arguments.

    Raises:
        SystemExit: with a sentence, if a value cannot be used or a variable is not a setting.
    """
    options = {} if arguments is None else vars(_parser().parse_args(arguments))
    _refuse_unknown_variables()
    try:
        return Settings(**options)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SystemExit(
            f"The setting {name} ({_variable(name)} or {_option(name)}) cannot be used: "
            f"{first['msg']}; see `{PROGRAM} --help`."
        ) from error


def _parser() -> argparse.ArgumentParser:
    """An option for each setting. `Settings` checks the values, not the parser."""
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="Serve handwritten digits over HTTP. Each option can also be set by a variable "
        "of the environment: --port by CVAE_PORT, and so on. Only CVAE_API_KEYS has no option.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for name, field in Settings.model_fields.items():
        text, default = str(field.description), field.default
        if type(default) in PLACEHOLDERS and default != "":
            text += f" (default: {default})"
        if field.annotation is bool:
            parser.add_argument(_option(name), action=argparse.BooleanOptionalAction, help=text)
        elif name not in NOT_OPTIONS:
            parser.add_argument(_option(name), metavar=_placeholder(field.annotation), help=text)
    return parser


def _placeholder(annotation: Any) -> str:
    """What the help shows in place of a value."""
    choices = [choice for choice in get_args(annotation) if isinstance(choice, str)]
    return f"{{{','.join(choices)}}}" if choices else PLACEHOLDERS.get(annotation, "PATH")


def _refuse_unknown_variables() -> None:
    known = [_variable(name) for name in Settings.model_fields]
    for given in os.environ:
        name = given.upper()
        if name.startswith(PREFIX) and not name.startswith(KUBERNETES) and name not in known:
            (closest,) = get_close_matches(name, known, n=1, cutoff=0)
            raise SystemExit(f"{given} is not a setting; did you mean {closest}?")


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
