"""The demo: one act after the other, an end by Ctrl-C that is none too early, a view that stays."""

import json
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from rich.console import Console
from typer.testing import CliRunner

import infra.commands.board as board_module
import infra.commands.connect
import infra.demo as demo_module
import infra.simulate.run
from infra.cli import app
from infra.commands.acts import Acts, Job
from infra.commands.board import Board, Figures, Money
from infra.embedded.running import RunningStack
from infra.simulate.run import Published
from schemas.errors import Unavailable

NOBODY = redis.Redis()
"""A client that is never asked: what it would answer is given by the tests."""


def test_traffic_begins_when_the_import_is_done() -> None:
    """Import, traffic, settling, in this order; the result is the import's."""
    done: list[str] = []
    acts = Acts()

    def import_() -> int:
        assert not acts.live.is_set()
        done.append("import")
        return 7

    result = acts.play(import_, lambda: done.append("traffic"), lambda: done.append("settling"))
    assert (result, done) == (7, ["import", "traffic", "settling"])
    assert acts.live.is_set()


def test_without_traffic_there_is_nothing_ctrl_c_could_end_well() -> None:
    """`--until-imported` is settled too, but never live."""
    acts = Acts()
    assert acts.play(lambda: 7, None, lambda: None) == 7
    assert not acts.live.is_set()


class _Watch:
    """A view that is interrupted so many times, then sees the end."""

    def __init__(self, interrupts: int) -> None:
        self.interrupts = interrupts

    def __call__(self) -> None:
        """Watch."""
        if self.interrupts:
            self.interrupts -= 1
            raise KeyboardInterrupt


def test_ctrl_c_during_the_traffic_ends_it_and_watches_on() -> None:
    """The first one only stops the traffic: what was published is still waited for."""
    acts = Acts()
    acts.live.set()
    acts.until(_Watch(1))
    assert acts.stop.is_set()


@pytest.mark.parametrize(("live", "interrupts"), [(False, 1), (True, 2)], ids=["import", "twice"])
def test_any_other_ctrl_c_ends_at_once(*, live: bool, interrupts: int) -> None:
    """Before the import is done there is nothing to show; a second one means now."""
    acts = Acts()
    if live:
        acts.live.set()
    with pytest.raises(KeyboardInterrupt):
        acts.until(_Watch(interrupts))
    assert acts.stop.is_set()


@dataclass
class _Endpoints:
    """Where a stack's engines are."""

    def model_dump(self, **_: object) -> dict[str, str]:
        """Return name → place."""
        return {"kafka": "127.0.0.1:1", "valkey": "redis://x", "clickhouse": "http://x"}


@dataclass
class _Stack:
    """A running stack that writes down when it is stopped."""

    said: list[str]
    endpoints: _Endpoints = field(default_factory=_Endpoints)

    def stop(self) -> None:
        """Stop."""
        self.said.append("(stopped)")


def _interrupted_demo(
    monkeypatch: pytest.MonkeyPatch, where: Path, *, runs: bool, detach: bool = False
) -> list[str]:
    """Return what a demo says that is interrupted during its import, stops included."""
    said: list[str] = []

    def play(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunningStack, "find", lambda _where: _Stack(said) if runs else None)
    monkeypatch.setattr(demo_module, "_start", lambda *_, **__: _Stack(said))
    monkeypatch.setattr(demo_module, "_play", play)
    monkeypatch.setattr(demo_module, "note", said.append)
    before = signal.getsignal(signal.SIGTERM)
    arguments = ["demo", "--data", str(where), *(["--detach"] if detach else [])]
    try:
        result = CliRunner().invoke(app, arguments)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 130
    return said


def test_an_interrupted_demo_says_what_it_stops_before_it_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Stopping takes seconds: the line comes first. Interrupted before the answer, it is 130."""
    said = _interrupted_demo(monkeypatch, tmp_path, runs=False)
    assert said == ["stopping the stack", "(stopped)", "interrupted"]


@pytest.mark.parametrize(("runs", "detach"), [(True, False), (False, True)], ids=["ran", "detach"])
def test_an_interrupted_demo_says_which_stack_stays_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, runs: bool, detach: bool
) -> None:
    """A stack that ran before, or is detached, isn't stopped; the line says what would do it."""
    said = _interrupted_demo(monkeypatch, tmp_path, runs=runs, detach=detach)
    assert "(stopped)" not in said
    assert said[-2] == f"the stack stays up; `daybook dev down --data {tmp_path}` stops it"


def test_what_the_job_fails_with_ends_the_view() -> None:
    """A failure beside the view is raised where it is asked whether all is done."""

    def fail() -> None:
        raise Unavailable("Kafka", 1.0, "refused")

    job = Job(fail)
    with pytest.raises(Unavailable):
        all(iter(job.is_running, False))


def _text(figures: Figures) -> str:
    console = Console(width=120)
    with console.capture() as shown:
        console.print(board_module._view(Board(), figures))  # noqa: SLF001 - what is drawn
    return shown.get()


def test_the_view_keeps_its_figures_while_valkey_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that doesn't answer leaves the last figures, marked so; then they move on."""
    answers = iter((5.0, None, 6.0))
    now: list[float | None] = []

    def current(_client: object, _generation: int, _tenant: str, metric: str) -> list[object]:
        if metric == "leads_created":
            now[:] = [next(answers)]
        if now[0] is None:
            raise Unavailable("Valkey", 1.0, "refused")
        return [("", now[0])]

    monkeypatch.setattr(board_module, "current", current)
    figures = Figures(NOBODY, 1, {"acme": Money("EUR", 100)})
    first, away, back = (_text(figures) for _ in range(3))
    assert " 5 " in first
    assert " 5 " in away
    assert "Valkey is away" in away
    assert "Valkey is away" not in back
    assert " 6 " in back


def test_an_interrupted_simulation_still_gives_its_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json the answer is JSON whatever ended the traffic; the code says that it was you."""

    def run(*_: object, **__: object) -> Published:
        signal.raise_signal(signal.SIGINT)
        return Published(3, 40, 0.0)

    monkeypatch.setattr(infra.simulate.run, "run", run)
    monkeypatch.setattr(infra.commands.connect, "producer", lambda _settings: None)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        result = CliRunner().invoke(app, ["simulate", "--json"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert result.exit_code == 130
    assert json.loads(result.stdout) == {"reference": 3, "traffic": 40, "behind_s": 0.0}
