"""What happens when partitions come and go: fence, load, seek, in this order."""

from typing import Protocol, cast

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery

from streams.runtime.failstop import fail_stop


class Assigned(Protocol):
    """An app of ours."""

    async def assigned(self) -> None:
        """Open what the group has assigned."""


class LaneRecovery(Recovery):
    """Opens what was assigned instead of replaying changelogs.

    Faust's recovery hangs for ever on a transactional changelog: it waits for a record at the last
    offset, and a commit marker is there.
    """

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Open the lanes, then let Faust seek and go on.

        Runs after each rebalance in a background task, so that heartbeats go on however long the
        load takes. Not in a store's `on_rebalance`: that runs inside the join.
        """
        # Nothing may be fetched before the seek, or it is dropped (Faust activates first).
        self.app.consumer.stop_flow()
        try:
            await cast("Assigned", self.app).assigned()
        except Exception:  # noqa: BLE001 - Faust would log it and go on without tables
            fail_stop("opening the assigned partitions failed")
        await super().on_recovery_completed(generation_id)


class LaneTables(TableManager):
    """Keeps Faust away from the changelog."""

    async def on_start(self) -> None:
        """Start recovery at once: Faust sleeps a second for agents, which its conductor awaits."""
        await self._update_channels()
        await self.recovery.start()

    async def _update_channels(self) -> None:
        # Changelogs are never subscribed: Faust's recovery, assignor and fetcher don't see them,
        # and nothing prefetches them beside the lanes.
        self._tables_finalized.set()
        for table in self.values():
            await table.data.maybe_start()
        self._tables_registered.set()

    @property
    def recovery(self) -> Recovery:
        """Our recovery, made at first use as Faust does."""
        if self._recovery is None:
            self._recovery = LaneRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
