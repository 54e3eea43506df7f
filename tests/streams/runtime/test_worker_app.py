"""The worker's Faust app, without a broker."""

from typing import TYPE_CHECKING, cast

import pytest

from schemas.topics import JOURNAL
from streams.domain.fold import fold
from streams.domain.table import TABLES
from streams.runtime.config import WorkerConfig
from streams.runtime.telemetry import Telemetry
from streams.runtime.worker import WorkerApp

if TYPE_CHECKING:
    from streams.runtime.assignment import LaneTables
    from streams.runtime.lane import Lane
    from streams.runtime.views import LaneTable


@pytest.fixture
async def app() -> WorkerApp:
    """A worker that isn't started."""
    app = WorkerApp(WorkerConfig(), fold, Telemetry())
    app.finalize()
    return app


async def test_changelogs_are_never_subscribed(app: WorkerApp) -> None:
    """Faust would read one topic per table, none of which exists; lanes read the one there is."""
    await cast("LaneTables", app.tables)._update_channels()  # noqa: SLF001
    subscribed = {name for channel in app.topics for name in channel.topics}
    assert subscribed <= {JOURNAL}


async def test_every_table_of_the_fold_has_a_view(app: WorkerApp) -> None:
    """`app.tables` names them all, and each is empty while no lane is open."""
    assert set(app.tables) == {table.name for table in TABLES}
    assert all(len(cast("LaneTable", app.tables[table.name])) == 0 for table in TABLES)


async def test_partitions_of_others_have_no_position(app: WorkerApp) -> None:
    """Nothing is committed or claimed for a partition without a lane."""
    assert app.owned() == {}
    assert app.standing((JOURNAL, 0), 5).lag == 5


async def test_lanes_stop_when_partitions_are_revoked(app: WorkerApp) -> None:
    """Before another worker may fence: a held batch committed later would stop this process."""
    stopped: list[int] = []

    class Owned:
        async def stop(self) -> None:
            stopped.append(3)

    app.lanes[3] = cast("Lane", Owned())
    await app.on_partitions_revoked.send(set())
    assert stopped == [3]
