"""The static check finds what would make two folds of one journal differ."""

import pytest

from tests.checks.determinism import ROOT, check, closure, findings

VIOLATIONS = [
    ("clock", "import time"),
    ("clock", "from time import monotonic"),
    ("clock", "from datetime import datetime\nat = datetime.now()"),
    ("clock", "from datetime import date\nday = date.today()"),
    ("clock", "from datetime import datetime\nat = datetime.fromtimestamp(7)"),
    ("randomness", "import random"),
    ("randomness", "from uuid import uuid4"),
    ("randomness", "token = library.uuid4()"),
    ("environment", "import os.path"),
    ("environment", "zone = process.environ['TZ']"),
    ("environment", "text = open('/etc/hostname').read()"),
    ("concurrency", "from concurrent.futures import ThreadPoolExecutor"),
    ("hash", "bucket = hash(key) % 7"),
    ("identity", "names[id(row)] = row"),
    ("set order", "for key in {'a', 'b'}: write(key)"),
    ("set order", "for key in set(keys): write(key)"),
    ("set order", "keys = set(keys)\nwrite([key for key in keys])"),
    ("set order", "keys = {k for k in rows}\nfor key in keys: write(key)"),
    ("set order", "def f(keys: set[str]) -> None:\n    write(*keys)"),
    ("set order", "def f(keys: frozenset[str] | None) -> None:\n    write(list(keys))"),
    ("set order", "def f(keys: set[str]) -> str:\n    return keys.pop()"),
    ("set order", "keys = set(keys)\ntext = ','.join(keys)"),
    ("set order", "for key in set(old) - new: write(key)"),
    ("set order", "for key in set(old).union(new): write(key)"),
    ("set order", "first = next(iter({'a', 'b'}))"),
    ("set order", ("class A:\n    def __init__(self):\n        self.x: set[str] = set()\n"
                  "    def f(self):\n        for key in self.x: write(key)")),
    ("set order", ("class A:\n    hours: dict[str, set[bytes]]\n"
                  "def f(a):\n    for key in a.hours['x']: write(key)")),
    ("set order", ("class A:\n    hours: dict[str, set[bytes]]\n"
                  "def f(a):\n    for key in a.hours.get('x', ()): write(key)")),
    ("set order", "def touched() -> set[str]: ...\nfor key in touched(): write(key)"),
    ("float sum", "mean = sum(x / 2 for x in xs)"),
    ("float sum", "total = sum(float(x) for x in xs)"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "source"), VIOLATIONS, ids=[each[1] for each in VIOLATIONS])
def test_each_rule_finds_its_violation(rule: str, source: str) -> None:
    """What the fold must not do is named by its rule."""
    assert {finding.rule for finding in check(source)} == {rule}


@pytest.mark.parametrize(
    "source",
    [
        "for key in sorted({'a', 'b'}): write(key)",
        "write(sorted(key for key in set(keys)))",
        "keys = {'a'}\nif 'a' in keys and len(keys): write(max(keys))",
        "both = set(old) | set(new)\nsmaller = {k for k in both if k}",
        "for key in dict.fromkeys(keys): write(key)",
        "for key in [*keys]: write(key)",
        "from datetime import UTC, datetime\nat = datetime.fromtimestamp(7, UTC)",
        "total = sum(amounts)",
        "import time  # determinism: an example",
    ],
)
def test_what_is_the_same_in_every_run_is_left_alone(source: str) -> None:
    """A check that cries wolf is switched off."""
    assert check(source) == []


def test_fold_and_all_it_imports_are_looked_at_and_clean() -> None:
    """The closure holds the fold, its state and its codec; nothing is found in any of it."""
    paths = closure()
    names = {str(path.relative_to(ROOT)) for path in paths}
    assert {"streams/domain/fold.py", "streams/domain/state.py", "schemas/codec.py"} <= names
    assert not any(name.startswith("streams/runtime") for name in names)
    assert findings(paths) == []
