"""Names of channels and their classes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol.channels import CLASSES, Address, ChannelClass, name_of, parse
from schemas.errors import Refused


def code_of(name: str) -> int:
    """Return the error code a name is refused with, 0 when it is none."""
    try:
        parse(name)
    except Refused as refused:
        return refused.code
    return 0


@pytest.mark.parametrize(
    ("name", "kind", "identity"),
    [
        ("metrics:overview", "metrics", "overview"),
        ("notifications:#anna@example.com", "notifications", "anna@example.com"),
        ("tasks:#mei-mei%20johns", "tasks", "mei-mei johns"),
        ("task:k-5", "task", "k-5"),
        ("presence:central", "presence", "central"),
        ("chat:%C3%BCbersicht", "chat", "übersicht"),
    ],
)
def test_a_name_says_class_and_id(name: str, kind: str, identity: str) -> None:
    """Every class has a name of its form, escapes are undone."""
    channel = parse(name)
    assert (channel.name, channel.kind.name, channel.id) == (name, kind, identity)


@pytest.mark.parametrize(
    "name",
    [
        "", "chat", "chat:", ":a", "chat:a:b", "chat:a b", "chat:a\n", "chat:ü", "Chat:a", "chat:#",
        "chat:a|b", "chat:../x", "chat:%", "chat:%g0", "chat:%2f", "chat:\x00", "$chat:a",
        "chat:" + "a" * 124,
    ],
)  # fmt: skip
def test_what_is_no_name_is_a_bad_request(name: str) -> None:
    """The grammar is strict: no case, no spaces, nothing that separates elsewhere."""
    assert code_of(name) == 107


def test_a_name_has_at_most_128_bytes() -> None:
    """The last length allowed is taken."""
    assert code_of("chat:" + "a" * 123) == 0


@pytest.mark.parametrize("name", ["room:a", "chat:#a", "notifications:a", "tasks:a", "metrics:#a"])
def test_other_classes_are_unknown(name: str) -> None:
    """A class we don't have, or an owner where the class has none, is no channel."""
    assert code_of(name) == 102


@pytest.mark.parametrize("name", ["chat:%61", "chat:%7E", "chat:%FF", "chat:%C3"])
def test_one_channel_has_one_name(name: str) -> None:
    """An escape that isn't needed, or isn't UTF-8, would be a second name for a channel."""
    assert code_of(name) == 107


@settings(max_examples=60)
@given(st.sampled_from(list(CLASSES.values())), st.text(min_size=1, max_size=9))
def test_any_id_has_a_name_that_leads_back(kind: ChannelClass, identity: str) -> None:
    """Upstream's ids may hold anything."""
    assert parse(name_of(kind, identity)).id == identity


@settings(max_examples=60)
@given(st.text(max_size=20) | st.from_regex(r"[a-z]{1,8}:#?[%0-9a-fA-F.~@+-]{1,9}"))
def test_any_text_is_a_channel_or_refused(name: str) -> None:
    """Nothing else is raised, and a channel keeps the name it was asked by."""
    if not code_of(name):
        assert parse(name).name == name


def test_what_is_conflated_has_no_past() -> None:
    """Only publications with offsets can be read again."""
    assert all(each.history == each.positioned for each in CLASSES.values())


def test_an_address_begins_with_the_tenant() -> None:
    """Equal names of two tenants are two channels."""
    assert Address("acme", "chat:a").key == b"acme|chat:a"
