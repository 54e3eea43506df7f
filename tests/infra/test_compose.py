"""docker-compose.yml and the Dockerfile, checked as far as that goes without an engine."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from infra.cli import app
from infra.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf8"))
OURS = {name: it for name, it in COMPOSE["services"].items() if it["image"] == "daybook:latest"}


def test_every_setting_named_exists() -> None:
    """A misspelled variable would be ignored in silence."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for service in OURS.values():
        assert set(service["environment"]) <= known
    dockerfile = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf8")
    named = {word.split("=")[0] for word in dockerfile.split() if word.startswith(PREFIX)}
    assert named <= known


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_exists(name: str) -> None:
    """Each service runs a command that the image's entry point knows."""
    command: Any = get_command(app)
    for word in OURS[name]["command"]:
        command = command.commands[word]


def test_dependencies_are_services() -> None:
    """What is waited for is there and can be waited for: healthy, or completed."""
    for service in COMPOSE["services"].values():
        for needed, wanted in service.get("depends_on", {}).items():
            other = COMPOSE["services"][needed]
            if wanted["condition"] == "service_healthy":
                assert "test" in other["healthcheck"]
            else:
                assert other["restart"] == "no"


def test_members_are_static_and_apart() -> None:
    """Two processes of one group with the same instance id would fence each other."""
    instances = [it["environment"].get("DAYBOOK_INSTANCE") for it in OURS.values()]
    given = [instance for instance in instances if instance]
    assert len(given) == len(set(given)) == 4


def test_nothing_but_clickhouse_is_published_and_only_locally() -> None:
    """Engines without authentication are reached by the other containers only."""
    ports = [port for it in COMPOSE["services"].values() for port in it.get("ports", [])]
    assert ports == ["127.0.0.1:8123:8123"]


def test_image_copies_every_package() -> None:
    """A package left out of the image would be missed at run time only."""
    dockerfile = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf8")
    for package in ("schemas", "streams", "sinks", "gateway", "infra"):
        assert f"COPY {package} {package}" in dockerfile
