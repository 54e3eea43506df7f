"""Golden bytes: what each released version wrote is read for ever, and to the same values."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas import codec
from schemas.avro import full_name
from schemas.avro_reader import reader_of
from schemas.events.event import Event
from schemas.released import RECORDS, Release, releases, releases_of
from tests.schemas.samples import sample_of
from tests.schemas.write_golden import GOLDEN, readable

RELEASES = [release for versions in releases().values() for release in versions]
CLASSES = {full_name(record): record for record in RECORDS}


def _golden(release: Release) -> tuple[bytes, dict[str, Any]]:
    path = GOLDEN / release.file_name.replace(".avsc", ".json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    return bytes.fromhex(kept["hex"]), kept["value"]


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.file_name)
def test_golden_bytes_are_read_to_the_same_values(release: Release) -> None:
    """By the class of today: fields kept are equal, whatever was added or dropped since."""
    raw, value = _golden(release)
    record = CLASSES[release.name]
    read = readable(reader_of(release.schema, record, plain=True)(raw))
    assert {name: item for name, item in read.items() if name in value} == {
        name: item for name, item in value.items() if name in read
    }
    assert raw.startswith(release.header), "a released schema was changed"


def test_the_codec_reads_golden_bytes() -> None:
    """The public functions know every released version."""
    for release in RELEASES:
        raw, _ = _golden(release)
        record = CLASSES[release.name]
        if issubclass(record, Event):
            assert type(codec.decode_event(raw)) is record
        else:
            assert type(codec.decode(raw, record)) is record


def test_the_newest_version_writes_its_golden_bytes() -> None:
    """Writing is as fixed as reading: another machine, another year, the same bytes."""
    for record in RECORDS:
        raw, _ = _golden(releases_of(record)[-1])
        assert codec.encode(sample_of(record)) == raw, record.__name__


def test_every_version_has_golden_bytes() -> None:
    """And nothing else lies there; `python -m tests.schemas.write_golden` adds what is missing."""
    names = {release.file_name.replace(".avsc", ".json") for release in RELEASES}
    assert {path.name for path in Path(GOLDEN).iterdir()} == names
