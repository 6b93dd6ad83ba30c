"""The service's configuration; the only place that reads the environment (prefix CVAE_)."""

import os
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from app.logs import LogForm
from model.checkpoint import PRETRAINED
from model.runtime import EngineName, Precision


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

    def environment(self) -> dict[str, str]:
        """The variables that make another process read these same settings."""
        prefix = str(self.model_config["env_prefix"])
        values = {name: value for name, value in self if value is not None}
        return {f"{prefix}{name.upper()}": str(value) for name, value in values.items()}


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
