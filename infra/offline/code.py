"""Which code folds: a snapshot is used only by the very code that took it."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

PACKAGES = ("schemas", "streams.domain", "sinks.mapping")
"""What a folded state and its tally depend on."""
LIBRARIES = ("ddsketch",)


@cache
def fingerprint() -> str:
    """Return 16 hexadecimal digits over the sources of the fold and what it depends on.

    Stricter than needed (a comment changes it), so that nobody has to remember a version number;
    a snapshot that is not used costs a longer fold, one used wrongly would cost the proof.
    """
    digest = blake2b(digest_size=8)
    for package in PACKAGES:
        for name, content in _sources(files(package), package):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    for library in LIBRARIES:
        digest.update(f"{library}={version(library)}\0".encode())
    return digest.hexdigest()


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, name)
        elif entry.name.endswith((".py", ".avsc")):
            yield name, entry.read_bytes()
