"""A reason and a path for everything refused."""

import pytest

from schemas.attributes import KNOWN
from schemas.cloudevents import AVRO, read
from schemas.codec import decode_event, encode_event
from schemas.errors import InvalidEvent
from schemas.events import DealWon, LeadCreated
from schemas.topics import MAX_EVENT_BYTES
from tests.schemas.wire_events import NOW_MS, binary, members, read_now, refused_as

DEAL = DealWon(deal_id="d-1", amount_minor=100, currency="EUR")


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "tenantid", "time"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_required_attribute_is_missed_by_name(name: str, value: str | None) -> None:
    """In both modes."""
    assert refused_as(binary(**{f"ce_{name}": value}), {}) == ("missing_attribute", name)
    assert refused_as([], members(**{name: value})) == ("missing_attribute", name)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("specversion", "0.3", "invalid_attribute"),
        ("id", "x" * 513, "invalid_attribute"),
        ("id", "a\x00b", "invalid_attribute"),
        ("source", "a\nb", "invalid_attribute"),
        ("type", "crm.deal.burned.v1", "unknown_type"),
        ("type", "crm.deal.won.v2", "unknown_type"),
        ("tenantid", "Acme", "bad_tenant"),
        ("tenantid", "acme|evil", "bad_tenant"),
        ("tenantid", "a" * 64, "bad_tenant"),
        ("tenantid", "acme\n", "bad_tenant"),
        ("time", "2026-01-01", "invalid_attribute"),
        ("time", "1970-01-01T00:00:00Z", "invalid_attribute"),
        ("subject", "42", "invalid_attribute"),
        ("subject", "contact/", "invalid_attribute"),
        ("origin", "dream", "invalid_attribute"),
        ("depth", "-1", "invalid_attribute"),
        ("depth", "99999", "invalid_attribute"),
        ("actor", "\x7f", "invalid_attribute"),
    ],
)
def test_a_wrong_attribute_is_refused_by_name(name: str, text: str, reason: str) -> None:
    """In both modes."""
    data = {"deal_id": "d-1"}
    assert refused_as(binary(**{f"ce_{name}": text}), data) == (reason, name)
    assert refused_as([], members(**{name: text})) == (reason, name)


@pytest.mark.parametrize("name", sorted(KNOWN - {"datacontenttype"}))
def test_an_attribute_given_twice_is_refused(name: str) -> None:
    """Which of the two is meant, nobody can tell; not even when they are equal."""
    given = [(key, value) for key, value in binary() if key != f"ce_{name}"]
    headers = [*given, (f"ce_{name}", b"1"), (f"CE_{name}", b"1")]
    assert refused_as(headers, {"deal_id": "d"}) == ("invalid_attribute", name)


def test_a_header_that_is_not_utf8_is_refused() -> None:
    """By name; one we don't know doesn't matter."""
    headers = [*binary(ce_actor=None), ("ce_actor", b"\xff\xfe")]
    assert refused_as(headers, {"deal_id": "d"}) == ("invalid_attribute", "actor")


@pytest.mark.parametrize("value", [{"a": 1}, [1], True, 1.5])
def test_a_structured_attribute_of_another_type_is_refused(value: object) -> None:
    """Text or a whole number."""
    assert refused_as([], members(sequence=value)) == ("invalid_attribute", "sequence")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/cloudevents-batch+json",
     "application/cloudevents+avro"],
)  # fmt: skip
def test_other_content_is_refused(content_type: str) -> None:
    """Neither JSON, Avro nor a JSON CloudEvent."""
    refused = ("unsupported_content_type", "datacontenttype")
    assert refused_as(binary(**{"content-type": content_type}), {"deal_id": "d"}) == refused


def test_structured_content_that_is_no_json_is_refused() -> None:
    """Unless it comes as base64 and is Avro."""
    refused = ("unsupported_content_type", "datacontenttype")
    assert refused_as([], members(datacontenttype="text/plain")) == refused


DEEP = b'{"deal_id": "d", "x": %s1%s}'


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        (b"", ("not_json", "")),
        (b"nonsense", ("not_json", "data")),
        (b'{"deal_id": "d"', ("not_json", "data")),
        (b'{"deal_id": "d"} {}', ("not_json", "data")),
        (b'\xef\xbb\xbf{"deal_id": "d"}', ("not_json", "data")),
        (b'{"deal_id": "\xff"}', ("not_json", "data")),
        (b'{"deal_id": "\\ud800"}', ("not_json", "data")),
        (b'{"deal_id": "d", "x": NaN}', ("not_json", "data")),
        (b'{"deal_id": "d", "x": Infinity}', ("not_json", "data")),
        (b"[" * 100_000, ("not_json", "data")),
        (b'{"x":' * 100_000, ("not_json", "data")),
        (DEEP % (b"[" * 150, b"]" * 150), ("invalid_field", "data.x")),
        (b'{"deal_id": "d", "x": 1e400}', ("invalid_field", "data.x")),
        (b'{"deal_id": "d", "x": 9223372036854775808}', ("invalid_field", "data.x")),
        (b'{"deal_id": "d", "x": ' + b"9" * 4000 + b"}", ("invalid_field", "data.x")),
        (b'{"deal_id": "d", "x": ' + b"9" * 5000 + b"}", ("not_json", "data")),
        (b'{"deal_id": "d", "amount_minor": 9223372036854775808}',
         ("invalid_field", "data.amount_minor")),
        (b'{"deal_id": "d", "amount_minor": "5"}', ("invalid_field", "data.amount_minor")),
        (b'{"deal_id": "\\u0000"}', ("invalid_field", "data.deal_id")),
        (b"{}", ("missing_field", "data.deal_id")),
        (b"[]", ("invalid_field", "data")),
        (b"null", ("invalid_field", "data")),
        (b"5", ("invalid_field", "data")),
    ],
)  # fmt: skip
def test_wrong_data_is_refused_by_path(value: bytes, refused: tuple[str, str]) -> None:
    """Each kind of damage has its reason, and the field at fault its path."""
    assert refused_as(binary(), value) == refused


def test_nested_faults_have_dotted_paths() -> None:
    """Down to the item of a list."""
    headers = binary(ce_type="crm.contact.updated.v1")
    changes = [{"field": "a"}, {"old": "1"}]
    data = {"contact_id": "c", "changes": changes}
    assert refused_as(headers, data) == ("missing_field", "data.changes.1.field")


def test_a_definition_is_checked_by_its_kind() -> None:
    """The path leads into the spec."""
    headers = binary(ce_type="crm.definition.applied.v1")
    good = {"kind": "settings", "id": "default", "spec": {"currency": "EUR"}}
    received = read_now(headers, good)
    assert received.subject == "definition/settings/default"
    bad = good | {"spec": {"currency": "euro"}}
    assert refused_as(headers, bad) == ("invalid_field", "data.spec.currency")
    assert refused_as(headers, good | {"kind": "x"}) == ("invalid_field", "data.kind")


def test_a_tombstone_is_refused() -> None:
    """A compacted topic may hold records without value."""
    with pytest.raises(InvalidEvent) as caught:
        read(binary(), None, now_ms=NOW_MS)
    assert (caught.value.reason, caught.value.path) == ("not_json", "")


def test_text_keeps_nul_and_every_other_character() -> None:
    """Only what becomes part of a key or a name is restricted."""
    reason = "a\x00b\U0001f600\u2028"
    received = read_now(binary(), {"deal_id": "d", "reason": reason, "note": reason})
    assert received.event == DealWon.model_validate(
        {"deal_id": "d", "reason": reason, "note": reason}
    )
    assert decode_event(received.data) == received.event


@pytest.mark.parametrize(
    ("raw", "refused"),
    [
        (b'{"deal_id": "d"}', ("not_avro", "data")),
        (b"\xc3\x01" + bytes(9), ("unknown_schema", "data")),
        (encode_event(DEAL)[:-1], ("not_avro", "data")),
        (encode_event(DEAL) + b"\x00", ("not_avro", "data")),
        (encode_event(LeadCreated(lead_id="l")), ("invalid_attribute", "type")),
        (
            encode_event(DealWon.model_construct(deal_id="d", currency="euro")),
            ("invalid_field", "data.currency"),
        ),
        (
            encode_event(DealWon.model_construct(deal_id="")),
            ("invalid_field", "data.deal_id"),
        ),
    ],
)
def test_wrong_avro_is_refused(raw: bytes, refused: tuple[str, str]) -> None:
    """Bytes that decode are checked like JSON: a schema doesn't say what a currency is."""
    assert refused_as(binary(**{"content-type": AVRO}), raw) == refused


@pytest.mark.parametrize("text", ["[]", "nonsense", "[" * 300, '{"x": NaN}'])
def test_avro_with_odd_extra_is_refused(text: str) -> None:
    """`extra` must be a JSON object."""
    raw = encode_event(DealWon(deal_id="d")).replace(b"\x04{}", b"")
    size = len(text.encode())
    length = bytes([size * 2]) if size < 64 else bytes([size * 2 & 127 | 128, size * 2 >> 7])
    refused = refused_as(binary(**{"content-type": AVRO}), raw + length + text.encode())
    assert refused == ("not_avro", "data")


@pytest.mark.parametrize("text", ["!", "é", "A", 5, None])
def test_wrong_base64_is_refused(text: object) -> None:
    """Not decoded to something."""
    refused = ("invalid_field", "data_base64")
    assert refused_as([], members(data_base64=text)) == refused


def test_structured_without_data_is_refused() -> None:
    """No event of ours is only its envelope."""
    whole = members()
    del whole["data"]
    assert refused_as([], whole) == ("missing_field", "data")
    assert refused_as([], [1]) == ("missing_attribute", "specversion")


def test_size_is_limited_before_and_after() -> None:
    """An event that would grow too large for the journal is refused too, not only a large one."""
    filler = "x" * (MAX_EVENT_BYTES - 40)
    assert read_now(binary(), {"deal_id": "d", "f": filler}).event
    assert refused_as(binary(), {"deal_id": "d", "f": filler + "x" * 40}) == ("too_large", "")
    growing = b'{"deal_id": "d", "f": [' + b"1e15," * 150_000 + b"1]}"
    assert len(growing) < MAX_EVENT_BYTES
    assert refused_as(binary(), growing) == ("too_large", "data")


def test_refusals_do_not_repeat_what_was_sent() -> None:
    """A dead letter's reason is shown and logged; personal data stays in its bytes."""
    private = "ada@example.com"
    for headers, value in (
        (binary(ce_time=private), {"deal_id": "d"}),
        (binary(ce_tenantid=private), {"deal_id": "d"}),
        (binary(ce_subject=private), {"deal_id": "d"}),
        (binary(ce_type=private), {"deal_id": "d"}),
        (binary(), {"deal_id": "d", "currency": private}),
        (binary(), {"deal_id": "d", "closed_on": private[:10]}),
        (binary(), private.encode()),
    ):
        with pytest.raises(InvalidEvent) as caught:
            read_now(headers, value)
        assert private[:10] not in str(caught.value)
