"""Every setting of every process, and the only reader of the environment.

Order, first wins: arguments, `DAYBOOK_*` variables, `.env` in the working directory, the endpoints
of the development stack in `<data>/status.json`, the defaults below. Packages get small frozen
configurations made from this; none of them sees the environment.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from schemas.errors import ConfigurationError

PREFIX = "DAYBOOK_"
STATUS_FILE = "status.json"
TOKEN_KEYS_FILE = "token-keys.json"  # noqa: S105 - a name, no secret
ENDPOINTS = {
    "kafka": "kafka",
    "valkey_url": "valkey",
    "clickhouse_url": "clickhouse",
    "gateway_url": "gateway",
}
"""Field → its name under `endpoints` in `status.json`."""
GENERATION_MAX = 2**16 - 1
"""ClickHouse keeps the generation as UInt16."""


def _listed(value: object) -> object:
    """Read a comma-separated list."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""A list in one variable, without JSON's quotes."""


class DevStack(PydanticBaseSettingsSource):
    """Endpoints of the stack `daybook dev` runs, so that commands find it by themselves."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the signature is pydantic's
        """Return (value or None, key, whether it is JSON text) of one field."""
        return self._endpoints().get(ENDPOINTS.get(field_name, "")), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return field → endpoint; empty when no stack left a status file."""
        endpoints = self._endpoints()
        return {field: endpoints[name] for field, name in ENDPOINTS.items() if endpoints.get(name)}

    def _endpoints(self) -> dict[str, Any]:
        default = self.settings_cls.model_fields["data"].default
        data = Path(str(self.current_state.get("data", default)))
        try:
            status = json.loads((data / STATUS_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        found = status.get("endpoints") if isinstance(status, dict) else None
        return found if isinstance(found, dict) else {}


class Settings(BaseSettings):
    """All settings; `load()` builds it.

    Raises:
        pydantic.ValidationError: a value is wrong; `load()` turns it into `ConfigurationError`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore", env_ignore_empty=True
    )

    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers, host:port[,host:port].")
    valkey_url: str = Field(
        "redis://127.0.0.1:6379/0", repr=False, description="Valkey or Redis; may hold a password."
    )
    clickhouse_url: str = Field(
        "http://default:@127.0.0.1:8123",
        repr=False,
        description="ClickHouse's HTTP interface, http://user:password@host:port.",
    )
    app: str = Field(
        "daybook",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Id of the installation: names consumer groups and the state topic.",
    )
    partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of the journal; a change is a replay."
    )
    push_retention_ms: int = Field(
        3_600_000,
        ge=60_000,
        le=7 * 86_400_000,
        description="How long publications are kept for browsers that were away, ms.",
    )
    tick_ms: int = Field(250, ge=10, le=60_000, description="How often fold time passes, ms.")
    stall_after_s: float = Field(
        60.0,
        ge=5,
        le=3600,
        description="Worker and ingest stop (70) after so many seconds without progress, s.",
    )
    generation: int | None = Field(
        None,
        ge=1,
        le=GENERATION_MAX,
        description="Of the fold; default: the live one, and processes follow when it changes.",
    )
    instance: str = Field(
        "", description="Static member id in the consumer group; default: <process>-0."
    )
    metrics_host: str = Field("127.0.0.1", description="Where /health and /metrics are served.")
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port of /health and /metrics; 0: not served."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="console for people, json for machines."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level logged."
    )
    gateway_host: str = Field("127.0.0.1", description="Where browsers connect by websocket.")
    gateway_port: int = Field(
        8_000, ge=0, le=65_535, description="Port of the websocket; 0: any free one."
    )
    gateway_url: str = Field(
        "ws://127.0.0.1:8000/connection/websocket",
        description="Where clients reach the gateways, from outside.",
    )
    api_host: str = Field("127.0.0.1", description="Where the HTTP API and the web app are served.")
    api_port: int = Field(
        8_080, ge=0, le=65_535, description="Port of the HTTP API; 0: any free one."
    )
    origins: Listed = Field(
        (), description="Web origins that browsers may connect from, exactly, comma-separated."
    )
    trusted_proxies: Listed = Field(
        (),
        description="Networks of proxies whose X-Forwarded-For is believed, comma-separated.",
    )
    token_keys: str = Field(
        "",
        description="JWK Set that tokens are checked with, file or URL; default: the stack's own.",
    )
    token_issuer: str = Field("daybook", description="`iss` that tokens must have.")
    token_audience: str = Field("daybook", description="`aud` that tokens must have.")
    data: Path = Field(
        Path(".daybook"), description="Data directory of the development stack (`daybook dev`)."
    )
    store: Literal["memory", "rocksdb"] = Field(
        "memory", description="Where the worker's rows are; rocksdb needs `daybook[rocksdb]`."
    )
    store_dir: str = Field(
        "", description="Directory of the rows with store=rocksdb; default: <data>/store."
    )
    snapshots: str = Field(
        "", description="Directory of the snapshots of folded state; default: <data>/snapshots."
    )

    @property
    def token_key_set(self) -> str:
        """Where tokens' keys are: as set, or those of the development stack."""
        return self.token_keys or str(self.data / TOKEN_KEYS_FILE)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, strongest first."""
        return init_settings, env_settings, dotenv_settings, DevStack(settings_cls)


def load(**given: Any) -> Settings:
    """Read the settings.

    Args:
        given: Field → value from the command line; None means not given.

    Raises:
        ConfigurationError: the first wrong value, by the name of its variable.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{PREFIX}{name.upper()}", str(first["msg"])) from None


def example() -> str:
    """Return the text of `.env.example`: every setting with its default, commented out.

    A copy of it changes nothing until a line is uncommented, so it doesn't hide a development
    stack that commands would otherwise find by themselves.
    """
    lines = ["# Settings of Daybook; copy to .env and uncomment what differs.", ""]
    for name, field in Settings.model_fields.items():
        default = (
            "" if field.default in (None, ()) else field.default
        )  # an empty variable counts as none
        lines += [f"# {field.description}", f"#{PREFIX}{name.upper()}={default}", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(example())
