"""Definitions in YAML: read, checked, compared with what is in effect. Pure but for the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.definitions.applied import DefinitionApplied
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

TENANT = r"^[a-z0-9][a-z0-9_-]{0,62}$"


class Document(BaseModel):
    """One YAML document.

    Args:
        kind: Kind of definition, e.g. `settings`.
        tenant: Whose.
        id: Name within kind and tenant.
        spec: What it says, by the model of its kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    tenant: str = Field(pattern=TENANT)
    id: str = "default"
    spec: dict[str, Any]


class Definition(NamedTuple):
    """A checked definition.

    Args:
        tenant: Whose.
        event: Kind, id and canonical spec.
    """

    tenant: str
    event: DefinitionApplied

    @property
    def name(self) -> str:
        """Return `tenant/kind/id`."""
        return f"{self.tenant}/{self.event.kind}/{self.event.id}"

    def as_json(self) -> dict[str, Any]:
        """Return the document it could be read from."""
        return {
            "kind": self.event.kind,
            "tenant": self.tenant,
            "id": self.event.id,
            "spec": json.loads(self.event.spec),
        }


class Problem(NamedTuple):
    """What is wrong with one document.

    Args:
        document: Its number in the file, from 1.
        path: Dotted place in it; may be empty.
        detail: One sentence.
    """

    document: int
    path: str
    detail: str

    def text(self, file: str) -> str:
        """Return `file, document 2, spec.timezone: …`."""
        where = f", {self.path}" if self.path else ""
        return f"{file}, document {self.document}{where}: {self.detail}"


def read_file(path: Path) -> tuple[list[Definition], list[Problem]]:
    """Read and check a file of definitions, several documents separated by `---`.

    Raises:
        ConfigurationError: the file can't be read.
    """
    try:
        return read_text(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), f"can't be read: {error}") from None


def read_text(text: str) -> tuple[list[Definition], list[Problem]]:
    """Read and check YAML text; see `read_file`."""
    definitions: list[Definition] = []
    problems: list[Problem] = []
    number = 0
    try:
        for number, data in enumerate(yaml.safe_load_all(text), start=1):
            if data is not None:
                _read(number, data, definitions, problems)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problems.append(Problem(number + 1, "", f"{line}is not YAML"))
    return definitions, problems


def _read(
    number: int, data: object, definitions: list[Definition], problems: list[Problem]
) -> None:
    try:
        document = Document.model_validate(data)
        event = DefinitionApplied.model_validate(
            {"kind": document.kind, "id": document.id, "spec": document.spec}
        )
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            inside = problem.get("ctx", {}).get("where")
            place = [*map(str, problem["loc"]), *([str(inside)] if inside else [])]
            problems.append(Problem(number, ".".join(place), problem["msg"]))
    else:
        definitions.append(Definition(document.tenant, event))


def change(definition: Definition, current: DefinitionApplied | None) -> str:
    """Return what applying would do: `created`, `changed` or `unchanged`."""
    if current is None:
        return "created"
    return "unchanged" if current.spec == definition.event.spec else "changed"
