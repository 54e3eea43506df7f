"""The documentation says what is so: its code runs, its commands and its references exist."""

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from gateway.protocol.codes import CLOSES, FAILURES, UNSUBSCRIBES
from infra.settings import PREFIX, Settings
from schemas.errors import REASONS
from schemas.events import CATALOGUE
from schemas.topics import catalogue
from streams.domain.metrics.catalogue import METRICS, RATIOS
from tests.docs.pages import PAGES, ROOT, examples, find_command, name_of

PACKAGES = ("schemas", "streams", "sinks", "gateway", "infra", "tests")
TO_BE_WRITTEN = ("meetings",)
"""What `add-a-module.md` has its reader write."""

_SOURCE = re.compile(r"\b(docs/[\w/-]+\.md)(?:, \"([^\"]+)\")?")
_ADR = re.compile(r"\bdocs/adr/(\d{4})\b")
_PATH = re.compile(rf"`((?:{'|'.join((*PACKAGES, 'docs', 'benchmarks', 'examples'))})/[\w./-]+)`")
_INLINE_COMMAND = re.compile(r"`daybook ([^`…]+)`")
_LINK = re.compile(r"\]\(([\w./-]+)(?:#[\w-]+)?\)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_a_page_holds(page: Path, register: Callable[[object], None]) -> None:
    """Python runs, JSON and YAML fit their models, commands exist."""
    for example in examples(page, register):
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_named_in_a_sentence_exist(page: Path) -> None:
    """A command between backticks is one of ours, with the options it has."""
    for found in _INLINE_COMMAND.finditer(page.read_text(encoding="utf8")):
        words = [word for word in found[1].split() if word.islower() or word.startswith("-")]
        if "|" in found[1] or not words:
            continue
        command, rest = find_command(words)
        known = {name for each in command.params for name in each.opts}
        missing = [word for word in rest if word.startswith("--") and word not in known]
        assert not missing, f"`daybook {found[1]}` has no {missing}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_named_in_a_page_exist(page: Path) -> None:
    """A path between backticks is in the repository."""
    named = _PATH.findall(page.read_text(encoding="utf8"))
    missing = [
        path
        for path in named
        if not (ROOT / path).exists() and Path(path).stem.removeprefix("test_") not in TO_BE_WRITTEN
    ]
    assert missing == []


def test_sources_named_in_the_code_exist() -> None:
    """A page or heading that a docstring gives as its source is there."""
    missing = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf8")
            for page, heading in _SOURCE.findall(text):
                if Path(page).stem not in TO_BE_WRITTEN and not _has(ROOT / page, heading):
                    missing.append((path.relative_to(ROOT).as_posix(), page, heading))
            missing += [
                (path.relative_to(ROOT).as_posix(), number, "")
                for number in _ADR.findall(text)
                if not list((ROOT / "docs/adr").glob(f"{number}-*.md"))
            ]
    assert missing == []


def _has(page: Path, heading: str) -> bool:
    if not page.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf8"), re.MULTILINE)
    return not heading or heading.rstrip(".") in headings


def test_links_of_the_readme_lead_somewhere() -> None:
    """MkDocs checks the pages; the README is outside of them."""
    text = (ROOT / "README.md").read_text(encoding="utf8")
    assert [link for link in _LINK.findall(text) if not (ROOT / link).exists()] == []


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The MkDocs hook, loaded as MkDocs does."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/hooks/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("reference/metrics.md", [*METRICS, *RATIOS]),
        ("reference/events.md", list(CATALOGUE)),
        ("reference/topics.md", [each.name for each in catalogue("daybook", 4)]),
        ("reference/settings.md", [PREFIX + name.upper() for name in Settings.model_fields]),
        ("reference/dead-letters.md", list(REASONS)),
        ("reference/realtime.md", [f"`{code}`" for code in (*FAILURES, *CLOSES, *UNSUBSCRIBES)]),
    ],
)
def test_reference_names_everything_there_is(hook: ModuleType, path: str, names: list[str]) -> None:
    """What the code has is in the generated page."""
    text = hook.PAGES[path]()
    assert [name for name in names if name not in text] == []
