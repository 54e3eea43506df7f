"""Size caps: a module over 500 lines is more than one idea. Run by `make check`."""

import subprocess
import sys
from pathlib import Path

LIMIT = 500
SUFFIXES = {".py", ".ts", ".tsx", ".sql"}


def oversized(root: Path) -> list[tuple[int, Path]]:
    """Return (lines, path) of every tracked source file over the limit, largest first."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.suffix in SUFFIXES and path.exists():
            lines = path.read_text(encoding="utf8").count("\n")
            if lines > LIMIT:
                found.append((lines, path.relative_to(root)))
    return sorted(found, reverse=True)


def main() -> int:
    """Print what is too long; exit 1 if anything is."""
    found = oversized(Path(__file__).parents[2])
    for lines, path in found:
        sys.stderr.write(f"{path}: {lines} lines, at most {LIMIT}\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
