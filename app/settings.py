"""The service's configuration; the only place that reads the environment (prefix CVAE_)."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, CliSuppress, SettingsConfigDict, SettingsError

from app.request.schemas import MAX_PIXELS
from model.checkpoint import PRETRAINED
from model.engine import EngineName, Precision

LogForm = Literal["text", "json"]


class SettingError(Exception):
    """A setting that turns out to be unusable at the start; the message is one full sentence."""


def _has_trace_endpoint() -> bool:
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return any(os.environ.get(name) for name in names) and not disabled


class Settings(BaseSettings):
    """Serve handwritten digits over HTTP.

    Each option can also be set in the environment: CVAE_CHECKPOINT for --checkpoint, and so on.
    """

    model_config = SettingsConfigDict(
        env_prefix="CVAE_",
        frozen=True,
        extra="forbid",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_prog_name="python -m app",
        hide_input_in_errors=True,  # it may be a secret
    )

    checkpoint: Path = Field(PRETRAINED, description="checkpoint folder to draw with")
    engine: EngineName = Field("onnx", description="what runs the model; torch needs [train]")
    precision: Precision = Field("int8", description="of the decoder's products; or float")
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for all")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(1, ge=1, le=256, description="processes that serve; one for each core")
    log: LogForm = Field("text", description="form of the log: text, or lines of JSON")
    access_log: bool = Field(True, description="log a line for each request but probes")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="port for the metrics alone; 0: /metrics on the main port"
    )
    metrics_folder: Path | None = Field(
        None, description="where several workers count together; the service makes one if needed"
    )
    tracing: bool = Field(
        default_factory=_has_trace_endpoint,
        description="send OpenTelemetry traces; on where OTEL_EXPORTER_OTLP_ENDPOINT is set",
    )

    api_keys: CliSuppress[SecretStr | None] = Field(
        None, description="keys that may draw, with commas between them; none: everybody may"
    )
    api_keys_file: Path | None = Field(None, description="the same from a file, one a line")
    cors_origins: str = Field(
        "",
        description="origins whose pages may read answers, with commas between them; * for all",
        pattern=r"^(\*|https?://[^/,\s]+(,https?://[^/,\s]+)*)?$",
    )
    watch_seconds: float = Field(
        0, ge=0, le=3600, description="how often to look for a new checkpoint; 0: only on SIGHUP"
    )
    drain_seconds: float = Field(
        0, ge=0, le=600, description="after SIGTERM: how long to answer on, but not to be ready"
    )
    shutdown_seconds: int = Field(
        30, ge=1, le=3600, description="how long requests under way may take to finish at the end"
    )
    backlog: int = Field(
        64, ge=2, le=4096, description="requests that may wait; further ones get 503"
    )
    heavy_threads: int = Field(2, ge=1, le=64, description="threads for heavy drawings")
    heavy_queue: int = Field(
        16, ge=0, le=1024, description="heavy drawings that may wait; further ones get 503"
    )
    max_pixels: int = Field(
        MAX_PIXELS, ge=2**18, le=MAX_PIXELS, description="of a picture, or all frames of one"
    )
    max_upload_bytes: int = Field(
        8 * 2**20, ge=2**10, le=2**26, description="of the body of a request"
    )

    def environment(self) -> dict[str, str]:
        """The variables that make another process read these same settings."""
        prefix = str(self.model_config["env_prefix"])
        values = {name: value for name, value in self if value is not None}
        return {f"{prefix}{name.upper()}": _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def read_settings(arguments: list[str] | None = None) -> Settings:
    """The settings from the environment and, where given, from command-line arguments.

    Raises:
        SystemExit: with a sentence, when a value cannot be used.
    """
    try:
        return Settings(_cli_parse_args=False if arguments is None else arguments)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SystemExit(
            f"The setting {name} (CVAE_{name.upper()} or --{name.replace('_', '-')}) cannot be "
            f"used: {first['msg']}; see `python -m app --help`."
        ) from error
    except SettingsError as error:
        raise SystemExit(f"{error}; see `python -m app --help`.") from error
