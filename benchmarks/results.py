"""The file results are kept in: one section at a time, so that an interrupted run can go on."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Section

Json = dict[str, Any]


@dataclass(slots=True)
class Results:
    """What was measured so far.

    Args:
        path: The file; written after every section.
        quick: Whether sizes are small; sections of the two sizes are never mixed.
        content: As in the file.
    """

    path: Path
    quick: bool
    content: Json

    @classmethod
    def open(cls, path: Path, *, quick: bool, names: Sequence[str], fresh: bool) -> "Results":
        """Go on with what is in the file, or begin anew.

        It begins anew when asked to, when the file is of the other size, and when the file has all
        sections already: then everything is measured again.

        Args:
            path: The file; need not exist.
            quick: Whether sizes are small.
            names: All sections a complete run has.
            fresh: Begin anew in any case.
        """
        found = None if fresh else _read(path)
        if found is None or found["quick"] != quick or not _missing(found, names):
            found = {"at": _now(), "seconds": 0, "quick": quick, "machine": {}, "sections": []}
        return cls(path, quick, found)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return the names that have no section yet, in order."""
        return _missing(self.content, names)

    def describe(self, machine: Mapping[str, str]) -> None:
        """Note what it ran on."""
        self.content["machine"] |= machine

    def add(self, section: Section, seconds: float, names: Sequence[str]) -> None:
        """Keep a section, instead of an older one of its name, and write the file.

        Args:
            section: What was found.
            seconds: How long it took, s.
            names: All names, in the order of the page.
        """
        kept = [each for each in self.content["sections"] if each["name"] != section.name]
        kept.append(asdict(section) | {"at": _now()})
        kept.sort(key=lambda each: names.index(each["name"]))
        self.content["sections"] = kept
        self.content["seconds"] = round(self.content["seconds"] + seconds)
        self.content["at"] = _now()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf8")
        draft.replace(self.path)


def _read(path: Path) -> Json | None:
    try:
        found: Json = json.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        return None
    return found


def _missing(content: Json, names: Sequence[str]) -> list[str]:
    there = {each["name"] for each in content["sections"]}
    return [name for name in names if name not in there]


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
