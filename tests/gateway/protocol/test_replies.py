"""What the server writes, byte for byte."""

import json

from gateway.protocol import replies
from gateway.protocol.channels import Address
from gateway.protocol.codes import LOST_PLACE, PERMISSION_DENIED, TOO_MANY_REQUESTS
from gateway.protocol.history import Page, Position, Publication, Recovery
from gateway.protocol.presence import Seat

PUBLICATION = Publication(Address("acme", "chat:lobby"), 7, b'{"a": 1.50}', 0)
ANNA, ANNA_TOO = Seat("anna", "c1"), Seat("anna", "c2")


def test_an_error_says_whether_it_may_pass() -> None:
    """Only what is temporary says so."""
    assert json.loads(replies.error(3, PERMISSION_DENIED)) == {
        "id": 3, "error": {"code": 103, "message": "permission denied"},
    }  # fmt: skip
    assert json.loads(replies.error(3, TOO_MANY_REQUESTS))["error"]["temporary"] is True


def test_data_of_a_publication_is_not_touched() -> None:
    """Numbers, order and spaces arrive as they were published, without the tenant."""
    assert replies.published(PUBLICATION) == (
        b'{"push":{"channel":"chat:lobby","pub":{"data":{"a": 1.50},"offset":7}}}'
    )


def test_an_object_is_one_line() -> None:
    """Newlines between JSON tokens would end the object for the client."""
    spread = Publication(PUBLICATION.address, 7, b'{\n"a":\r\n"x\\ny"}', 0)
    text = replies.published(spread)
    assert b"\n" not in text
    assert json.loads(text)["push"]["pub"]["data"] == {"a": "x\ny"}


def test_a_lease_is_whole_seconds_and_at_least_one() -> None:
    """A client that is told 0 would take it for never."""
    assert replies.lease(None, 0) == {}
    assert replies.lease(61_999, 1_000) == {"expires": True, "ttl": 60}
    assert replies.lease(1_000, 1_000) == {"expires": True, "ttl": 1}


def test_a_recovery_says_whether_it_was_one() -> None:
    """A first subscription isn't a failed recovery."""
    given = Recovery(recovered=True, position=Position("e", 7), publications=[PUBLICATION])
    text = json.loads(replies.reply(1, "subscribe", replies.recovery(given, asked=True)))
    assert text["subscribe"] == {
        "recoverable": True, "positioned": True, "epoch": "e", "offset": 7,
        "publications": [{"data": {"a": 1.5}, "offset": 7}],
        "was_recovering": True, "recovered": True,
    }  # fmt: skip
    first = replies.recovery(Recovery(False, Position("e", 7), []), asked=False)
    assert "recovered" not in first
    assert "was_recovering" not in first


def test_a_page_holds_its_position() -> None:
    """A client goes on reading from there."""
    page = replies.page(Page(Position("e", 9), [PUBLICATION]))
    assert json.loads(replies.reply(1, "history", page))["history"] == {
        "epoch": "e", "offset": 9, "publications": [{"data": {"a": 1.5}, "offset": 7}],
    }  # fmt: skip


def test_presence_is_by_connection_and_counts_people() -> None:
    """Two tabs are two connections of one person; only ids are told."""
    assert replies.presence([ANNA, ANNA_TOO]) == {
        "presence": {
            "c1": {"user": "anna", "client": "c1"},
            "c2": {"user": "anna", "client": "c2"},
        }
    }
    assert replies.presence_stats([ANNA, ANNA_TOO]) == {"num_clients": 2, "num_users": 1}


def test_pushes_name_their_channel() -> None:
    """Boards, arrivals and ends of subscriptions."""
    assert json.loads(replies.updated("metrics:overview", b'{"won":1}'))["push"] == {
        "channel": "metrics:overview", "pub": {"data": {"won": 1}},
    }  # fmt: skip
    assert json.loads(replies.moved("chat:lobby", ANNA, joined=True))["push"] == {
        "channel": "chat:lobby", "join": {"info": {"user": "anna", "client": "c1"}},
    }  # fmt: skip
    assert "leave" in json.loads(replies.moved("chat:lobby", ANNA, joined=False))["push"]
    assert json.loads(replies.unsubscribed("chat:lobby", LOST_PLACE))["push"] == {
        "channel": "chat:lobby", "unsubscribe": {"code": 2500, "reason": "insufficient state"},
    }  # fmt: skip


def test_json_of_others_is_put_in_as_it_is() -> None:
    """Snapshots and results of calls aren't parsed either."""
    assert replies.reply(1, "subscribe", replies.board(b'{"a": 1}')) == (
        b'{"id":1,"subscribe":{"data":{"a": 1}}}'
    )
    assert replies.reply(1, "rpc", replies.returned(b"[ ]")) == b'{"id":1,"rpc":{"data":[ ]}}'
