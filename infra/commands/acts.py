"""The demo's acts, beside a view: in order, and what Ctrl-C means in each."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.commands.output import note

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Job:
    """Something that runs beside the view; its failure is raised where it is waited for."""

    work: Callable[[], Any]
    result: Any = None
    failure: BaseException | None = None
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as failure:  # noqa: BLE001 - raised again by the main thread
            self.failure = failure

    def is_running(self) -> bool:
        """Tell whether it still runs; raises what it failed with."""
        runs = self._thread.is_alive()  # asked first: it may fail between the two
        if self.failure is not None:
            raise self.failure
        return runs


@dataclass(frozen=True, slots=True)
class Acts:
    """Import, traffic, settling: one after the other, so that the figures tell one story.

    Args:
        live: Set when the import is done and traffic begins: from then on Ctrl-C is its end.
        stop: Ends the traffic.
    """

    live: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def play(
        self, import_: Callable[[], int], traffic: Callable[[], object] | None,
        settle: Callable[[], object],
    ) -> int:  # fmt: skip
        """Do all in order; return what `import_` returned."""
        imported = import_()
        if traffic is not None:
            self.live.set()
            traffic()
        settle()
        return imported

    def until(self, watch: Callable[[], None]) -> None:
        """Watch; a Ctrl-C during the traffic ends that, and what it left to do is watched on.

        Raises:
            KeyboardInterrupt: there was no traffic yet, or it is the second one.
        """
        try:
            watch()
        except KeyboardInterrupt:
            if not self.live.is_set():
                raise
            self.stop.set()
            note("ending the traffic; once more Ctrl-C ends at once")
            watch()
        finally:
            self.stop.set()
