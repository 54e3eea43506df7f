"""Finding and reading the four files of a pipeline."""

from pathlib import Path

from infra.pipeline_import.rows import FILES, PIPELINE
from schemas.errors import ConfigurationError

EXAMPLES = {"b2b-pipeline": Path("examples/b2b-pipeline")}
"""Name → folder, below the working directory or beside the packages."""


def locate(name: str) -> Path:
    """Return the folder of an example's name, a folder, or its `sales_pipeline.csv`.

    Raises:
        ConfigurationError: there is no such thing, or one of the four files is missing.
    """
    candidates = [Path(name)]
    if name in EXAMPLES:
        root = Path(__file__).parents[2]
        candidates = [EXAMPLES[name], root / EXAMPLES[name]]
    for candidate in candidates:
        folder = candidate.parent if candidate.name == PIPELINE else candidate
        if folder.is_dir():
            missing = [file for file in FILES if not (folder / file).is_file()]
            if missing:
                raise ConfigurationError(str(folder), f"has no {', '.join(missing)}")
            return folder
    known = ", ".join(EXAMPLES)
    raise ConfigurationError(name, f"no such import; give a folder with {PIPELINE}, or: {known}")


def texts(folder: Path) -> dict[str, str]:
    """Return file name → content.

    Raises:
        ConfigurationError: a file is not UTF-8 text.
    """
    found = {}
    for file in FILES:
        try:
            found[file] = (folder / file).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigurationError(str(folder / file), f"is not UTF-8: {error.reason}") from None
    return found
