"""Time zones from the pinned `tzdata` package, not from whatever the machine has.

A replay on another machine must cut days where they were cut before.
"""

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo


def _file(name: str) -> Traversable:
    return files("tzdata").joinpath("zoneinfo", *name.split("/"))


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf8").split())


def is_known(name: str) -> bool:
    """Tell whether an IANA name is one of the package's."""
    return name in _known()


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name.

    Raises:
        FileNotFoundError: The package has no such zone.
    """
    with _file(name).open("rb") as source:
        return ZoneInfo.from_file(source, key=name)
