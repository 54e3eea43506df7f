"""Cutting an INSERT in front of its data, and small questions about statements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.clickhouse.statement import (
    attach_data,
    described,
    is_listing,
    split_insert,
    tokens,
    walk,
    without_json_arguments,
)
from schemas.errors import Refused


@pytest.mark.parametrize(
    ("text", "head", "data"),
    [
        ("INSERT INTO t FORMAT CSV\n1,2\n", "INSERT INTO t FORMAT CSV", "1,2\n"),
        ("INSERT INTO t FORMAT CSV\r\n1,2", "INSERT INTO t FORMAT CSV", "1,2"),
        ("insert into t format Native", "insert into t format Native", ""),
        ("INSERT INTO t (a) VALUES (1), (2)", "INSERT INTO t (a) VALUES", " (1), (2)"),
        ("INSERT INTO t FORMAT TSV 1\t2", "INSERT INTO t FORMAT TSV", "1\t2"),
        ("/* VALUES */ INSERT INTO t -- FORMAT x\nVALUES (1)", None, " (1)"),
        ("INSERT INTO `VALUES` FORMAT CSV\nx", "INSERT INTO `VALUES` FORMAT CSV", "x"),
        ("INSERT INTO t (format) SETTINGS a = ' FORMAT x\n' VALUES (1)", None, " (1)"),
        ("INSERT INTO t SELECT format FROM input('a') FORMAT TSV\n1", None, "1"),
        ("INSERT INTO t SELECT * FROM (SELECT 1 FORMAT x\n) FORMAT TSV\n2", None, "2"),
        ("INSERT INTO t SELECT $x$ FORMAT y\n$x$ FORMAT TSV\n3", None, "3"),
        ("INSERT INTO t /* /* */ FORMAT x\n */ FORMAT TSV\n4", None, "4"),
        ("INSERT INTO t FORMAT TSV;\n5", "INSERT INTO t FORMAT TSV", "5"),
    ],
)
def test_insert_is_cut_behind_its_format(text: str, head: str | None, data: str) -> None:
    """Data begin behind VALUES or behind FORMAT and one line end, outside quotes and comments."""
    raw = text.encode()
    insert = split_insert(raw)
    assert insert is not None
    assert raw[insert.data_at :].decode() == data
    assert head is None or insert.head == head


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 FORMAT CSV",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t SELECT * FROM VALUES('a Int8', 1)",
        "INSERT INTO t FROM INFILE 'x'",
        "-- INSERT INTO t FORMAT CSV\nSELECT 1",
        "",
    ],
)
def test_other_statements_are_not_cut(text: str) -> None:
    """A statement that takes no data of the request stays whole."""
    assert split_insert(text.encode()) is None


@given(st.binary(max_size=200))
def test_data_do_not_move_the_cut(data: bytes) -> None:
    """Whatever bytes follow, the statement and the beginning of the data stay the same."""
    insert = split_insert(b"INSERT INTO crm.deal (a) FORMAT Native\n" + data)
    assert insert is not None
    assert (insert.head, insert.format, insert.data_at) == (
        "INSERT INTO crm.deal (a) FORMAT Native",
        "Native",
        39,
    )


@given(st.text(max_size=200))
def test_lexer_reads_everything_once(text: str) -> None:
    """Tokens come in order, and no text makes the lexer fail or loop."""
    ends = [token.end for token in tokens(text)]
    assert ends == sorted(set(ends))
    assert not ends or ends[-1] <= len(text)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("DESCRIBE TABLE crm.deal", " crm.deal"),
        ("desc /* TABLE */ (SELECT 1)", " /* TABLE */ (SELECT 1)"),
        ("SELECT 1", None),
        ("", None),
    ],
)
def test_subject_of_a_description(text: str, subject: str | None) -> None:
    """What stands behind DESCRIBE [TABLE] is what it describes."""
    found = described(text)
    assert (found or "").split() == (subject or "").split()
    assert (found is None) == (subject is None)


@pytest.mark.parametrize(
    ("text", "listing"),
    [
        ("SHOW PROCESSLIST", True),
        ("EXISTS TABLE crm.deal", True),
        ("SHOW PROCESSLIST INTO OUTFILE 'x'", False),
        ("EXISTS (SELECT file('x'))", False),
        ("GRANT ALL ON *.* TO x", False),
    ],
)
def test_listing_neither_calls_nor_writes(text: str, *, listing: bool) -> None:
    """Only SHOW and EXISTS without brackets or files count as listings."""
    assert is_listing(text) is listing


@pytest.mark.parametrize(
    ("text", "bare", "taken"),
    [
        ("CREATE TABLE t (p JSON(a=1, b.c Decimal(9, 2)), q Int8)", "(p JSON, q Int8)", 13),
        ("ALTER TABLE t ADD COLUMN p json (SKIP REGEXP ')')", "p json", 3),
        ("CREATE TABLE t (p JSON, q JSON)", "(p JSON, q JSON)", 0),
        ("SELECT JSON(file('x'))", "JSON(file('x'))", 0),
        ("CREATE VIEW v AS SELECT `JSON`(file('x'))", "`JSON`(file('x'))", 0),
    ],
)
def test_arguments_of_the_type_json_are_taken_out(text: str, bare: str, taken: int) -> None:
    """Only in CREATE and ALTER, and what is taken out is returned for judgement."""
    kept, tokens_taken = without_json_arguments(text)
    assert kept.endswith(bare)
    assert len(tokens_taken) == taken


def test_walk_skips_codecs_and_index_types() -> None:
    """Names of codecs and index types look like calls and are none."""
    tree = {"codec": {"type": "Function", "name": "ZSTD"}, "b": [{"type": "Function", "name": "f"}]}
    assert [node["name"] for _, node in walk(tree) if node.get("type") == "Function"] == ["f"]


def test_data_go_into_the_table_or_into_input() -> None:
    """Without `input()` the INSERT reads the file itself; with it the call becomes `file()`."""
    plain: dict[str, object] = {"type": "InsertQuery"}
    attach_data(plain, [], path="/x", fmt="CSV")
    assert plain["infile"] == {"type": "Literal", "value": {"field_type": "String", "value": "/x"}}
    structure = {"type": "Literal", "value": {"field_type": "String", "value": "a UInt8"}}
    call: dict[str, object] = {"name": "input", "arguments": {"children": [structure]}}
    attach_data({"type": "InsertQuery"}, [call], path="/x", fmt="CSV")
    assert call["name"] == "file"
    values = [node["value"] for _, node in walk(call["arguments"]) if "field_type" in node]
    assert sorted(map(str, values)) == ["/x", "CSV", "a UInt8", "none"]


@pytest.mark.parametrize("calls", [0, 2])
def test_input_needs_a_structure_and_is_read_once(calls: int) -> None:
    """`input()` twice, or without a structure, is refused: the data can't be read twice."""
    structure = [{"type": "Literal"}] if calls else []
    nodes: list[dict[str, object]] = [
        {"name": "input", "arguments": {"children": structure}} for _ in range(max(calls, 1))
    ]
    with pytest.raises(Refused):
        attach_data({"type": "InsertQuery"}, nodes, path="/x", fmt="CSV")
