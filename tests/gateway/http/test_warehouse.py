"""ClickHouse that is away, and addresses that are none."""

import pytest

from gateway.http.ports import Series
from gateway.http.warehouse import Warehouse
from schemas.errors import ConfigurationError, Unavailable


async def test_a_clickhouse_that_is_away_is_unavailable() -> None:
    """The API starts without it and says so when it is asked; the message holds no password."""
    warehouse = Warehouse("http://daybook:secret@127.0.0.1:1")
    asked = Series("acme", "won_amount", "all", "", 0, 1)
    with pytest.raises(Unavailable) as away:
        await warehouse.figures(asked, limit=1)
    assert "secret" not in str(away.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8123", "tcp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    """Not at the first question."""
    with pytest.raises(ConfigurationError):
        Warehouse(url)
