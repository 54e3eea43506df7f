"""`make torture`: run one seed and say how it ended; exit 0 equal, 1 not, 2 wrong usage."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.exactness.faults import KINDS, Choice, plan
from tests.exactness.report import summary
from tests.exactness.run import Order, Torture

CACHE = Path.home() / ".cache" / "daybook"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=11, help="of workload and faults")
    parser.add_argument("--events", type=int, default=200_000, help="records from upstream")
    parser.add_argument("--kills", type=int, default=130, help="SIGKILLs; some find nobody alive")
    parser.add_argument("--others", type=int, default=30, help="faults of other kinds")
    parser.add_argument("--minutes", type=float, default=10, help="how long faults go on")
    parser.add_argument("--only", default="", help=f"kinds, comma-separated: {', '.join(KINDS)}")
    parser.add_argument("--on", default="", help="targets, comma-separated beginnings of names")
    parser.add_argument("--report", type=Path, default=Path("report.json"), help="written here")
    parser.add_argument("--keep", type=Path, help="data directory, kept; default: a temporary one")
    parser.add_argument("--plan", action="store_true", help="print the faults and stop")
    return parser


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run it."""
    options = _parser().parse_args()
    unknown = set(_words(options.only)) - set(KINDS)
    if unknown:
        sys.stderr.write(f"unknown kinds: {', '.join(sorted(unknown))}\n")
        return 2
    duration_s = options.minutes * 60
    choice = Choice(_words(options.only), _words(options.on))
    faults = plan(options.seed, duration_s=duration_s, kills=options.kills,
                  others=options.others, choice=choice)  # fmt: skip
    _say(f"seed {options.seed}: {len(faults)} faults")
    for fault in faults:
        _say(str(fault))
    if options.plan:
        return 0
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as temporary:
        data = (options.keep or Path(temporary) / "data").resolve()
        order = Order(options.seed, options.events, duration_s, faults, data, CACHE)
        report = Torture(order, _say).run()
    options.report.write_text(json.dumps(report, indent=1) + "\n")
    _say(summary(report))
    return 0 if report["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
