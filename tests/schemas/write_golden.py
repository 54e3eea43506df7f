"""`python -m tests.schemas.write_golden`: golden bytes of each schema version that has none yet.

Run it after `daybook schemas write`. Existing files are never touched: they are what some version
really wrote, and must be readable for ever.
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas.avro_reader import reader_of
from schemas.codec import encode
from schemas.released import RECORDS, releases_of
from tests.schemas.samples import sample_of

GOLDEN = Path(__file__).parent / "golden"


def readable(value: object) -> Any:
    """Return a decoded plain value as JSON-ready data: bytes as hex, times as ISO text."""
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return value.isoformat() if hasattr(value, "isoformat") else value


def main() -> None:
    """Write what is missing."""
    for record in RECORDS:
        newest = releases_of(record)[-1]
        path = GOLDEN / newest.file_name.replace(".avsc", ".json")
        if path.exists():
            continue
        raw = encode(sample_of(record))
        value = readable(reader_of(newest.schema, record, plain=True)(raw))
        text = json.dumps({"hex": raw.hex(), "value": value}, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        sys.stdout.write(f"wrote {path.name}\n")


if __name__ == "__main__":
    main()
