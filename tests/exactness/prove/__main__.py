"""`make prove`: take every protection away, one at a time, and see its tests fail.

Never in the working tree: each mutation is applied to a copy in a temporary directory. First all
tests must pass in an unchanged copy, or a failure would prove nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from tests.exactness.prove.mutation import Mutation, apply, problems
from tests.exactness.prove.overrides import OVERRIDES
from tests.exactness.prove.protections import PROTECTIONS
from tests.exactness.prove.table import MUTATIONS, rows

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 1_800


def copy_of_the_tree(to: Path) -> Path:
    """Copy what git knows, with the changes that aren't committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)
    return to


def outcomes(tree: Path, tests: Sequence[str]) -> dict[str, str]:
    """Run tests in a tree; return test id → `passed`, `failed`, `error` or `skipped`."""
    report = tree / "prove.xml"
    report.unlink(missing_ok=True)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly",
         "-o", "addopts=--import-mode=importlib", f"--junitxml={report}", *tests],
        cwd=tree, check=False, capture_output=True, text=True, timeout=TIMEOUT_S,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )  # fmt: skip
    if not report.exists():
        sys.stderr.write(run.stdout[-3_000:] + run.stderr[-3_000:])
        return dict.fromkeys(tests, "error")
    found = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        path = str(case.get("classname", "")).replace(".", "/") + ".py"
        kinds = {child.tag for child in case}
        outcome = next((k for k in ("error", "failure", "skipped") if k in kinds), "passed")
        found[f"{path}::{case.get('name')}"] = outcome.replace("failure", "failed")
    return {test: _merged(found, test) for test in tests}


def _merged(found: dict[str, str], test: str) -> str:
    """Return the outcome of one test; of a parametrised one, `failed` if one case failed."""
    cases = [how for name, how in found.items() if name == test or name.startswith(f"{test}[")]
    if not cases:
        return "error"
    return next((how for how in ("failed", "error", "skipped") if how in cases), "passed")


def prove(mutation: Mutation) -> dict[str, str]:
    """Return what became of a mutation's tests."""
    with tempfile.TemporaryDirectory(prefix="prove-") as directory:
        tree = copy_of_the_tree(Path(directory))
        apply(tree, mutation)
        return outcomes(tree, mutation.tests)


def main() -> int:
    """Run the table; exit 1 unless every protection is proved."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="text in a mutation's name")
    parser.add_argument("--quick", action="store_true", help="only those that need no engines")
    parser.add_argument("--no-baseline", action="store_true", help="trust that all tests pass")
    parser.add_argument("--tables", action="store_true", help="print the page's tables, no run")
    asked = parser.parse_args()
    if asked.tables:
        sys.stdout.write(f"{rows(OVERRIDES)}\n{rows(PROTECTIONS)}")
        return 0
    chosen = [
        mutation
        for mutation in MUTATIONS
        if (not asked.only or any(text in mutation.name for text in asked.only))
        and not (asked.quick and mutation.needs_engines)
    ]
    wrong = list(problems(ROOT, MUTATIONS))
    if wrong:
        sys.stdout.write("\n".join(wrong) + "\n")
        return 1
    if not asked.no_baseline and not _all_pass(chosen):
        return 1
    sys.stdout.write("| protection | without it | its test | failed without it | s |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- |\n")
    unproved = sum(not _show(mutation) for mutation in chosen)
    sys.stdout.write(f"\n{len(chosen) - unproved} of {len(chosen)} protections proved\n")
    return bool(unproved)


def _all_pass(chosen: Sequence[Mutation]) -> bool:
    tests = sorted({test for mutation in chosen for test in mutation.tests})
    with tempfile.TemporaryDirectory(prefix="prove-") as directory:
        found = outcomes(copy_of_the_tree(Path(directory)), tests)
    broken = {test: how for test, how in found.items() if how != "passed"}
    for test, how in broken.items():
        sys.stdout.write(f"unchanged, {test}: {how}\n")
    if not broken:
        sys.stdout.write(f"unchanged: {len(tests)} tests pass\n\n")
    return not broken


def _show(mutation: Mutation) -> bool:
    began = time.monotonic()
    found = prove(mutation)
    took = time.monotonic() - began
    proved = set(found.values()) == {"failed"}
    for test, how in found.items():
        said = "yes" if how == "failed" else f"**no: {how}**"
        path, _, name = test.partition("::")
        sys.stdout.write(
            f"| {mutation.name} | {mutation.prevents} | `{Path(path).name}` `{name}` "
            f"| {said} | {took:.0f} |\n"
        )
    sys.stdout.flush()
    return proved


if __name__ == "__main__":
    sys.exit(main())
