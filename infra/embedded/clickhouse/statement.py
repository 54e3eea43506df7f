"""What a client sent, taken apart without an engine: statement text, data, syntax tree.

The lexer only decides where the text of an INSERT ends and its data begins. The engine's own parser
then has to accept the text in front of the cut as one whole INSERT, and the bytes behind it only
ever reach a format reader; a cut in the wrong place is a syntax error, never a hole.

A syntax tree is what the engine's `parseQueryToJSON` returns: nested dictionaries with a `type`,
and `formatQueryFromJSON` turns it into SQL again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, cast

from schemas.errors import Refused

Node: TypeAlias = dict[str, object]

BAD_ARGUMENTS = 36

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[\ !][^\n]*)
      | (?P<comment>/\*)
      | (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
      | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<word>[A-Za-z_][\w$]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_FORMAT_NAME = re.compile(r"\s+(\w+)[ \t\f]*(;?[ \t]*(?:\r?\n|\Z))?", re.ASCII)
# `codec` and `index_type` hold names of codecs and indexes written like calls; nothing is called.
_NOT_CALLS = ("codec", "index_type")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, quoted piece or sign of a statement; white space and comments make none.

    Args:
        text: As written.
        kind: `word`, `quoted`, `heredoc` or `other`.
        end: Offset behind it.
        depth: How many round brackets are open around it.
    """

    text: str
    kind: str
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT that takes data from the request.

    Args:
        head: The statement up to and including `FORMAT name` or `VALUES`.
        format: The input format's name, `Values` for the latter.
        data_at: Offset of the first byte of data in what was split.
    """

    head: str
    format: str
    data_at: int


def tokens(text: str) -> Iterator[Token]:
    """Lex SQL as ClickHouse does: nested comments, heredocs, backslash escapes.

    >>> [token.text for token in tokens("SELECT /* a /* b */ */ 'it''s' -- c")]
    ['SELECT', "'it''s'"]
    """
    at = depth = 0
    while found := _TOKEN.match(text, at):
        at, kind = found.end(), found.lastgroup or "other"
        if kind == "tag":
            kind = "heredoc"
        if kind == "comment":
            at = _comment_end(text, at)
        elif kind != "space":
            piece = found.group()
            depth -= piece == ")"
            yield Token(piece, kind, at, depth)
            depth += piece == "("


def _comment_end(text: str, at: int) -> int:
    open_comments = 1
    while open_comments:
        edge = _COMMENT_EDGE.search(text, at)
        if edge is None:
            return len(text)
        at = edge.end()
        open_comments += 1 if edge.group() == "/*" else -1
    return at


def split_insert(raw: bytes) -> Insert | None:
    r"""Cut an INSERT in front of its data.

    Args:
        raw: The beginning of a request, long enough to hold the statement.

    Returns:
        None when it isn't an INSERT with data: another statement, or INSERT … SELECT alone.

    >>> split_insert(b"INSERT INTO t (a) FORMAT TSV\n1\n")
    Insert(head='INSERT INTO t (a) FORMAT TSV', format='TSV', data_at=29)
    >>> split_insert(b"SELECT 1") is None
    True
    """
    text = raw.decode("latin-1")  # offsets stay offsets of bytes, whatever the data is
    found = tokens(text)
    if next(found, Token("", "", 0, 0)).text.upper() != "INSERT":
        return None
    selecting = False
    for token in found:
        word = token.text.upper() if token.kind == "word" and token.depth == 0 else ""
        if word in {"SELECT", "WITH"}:
            selecting = True
        elif word == "VALUES" and not selecting:
            return Insert(raw[: token.end].decode(), "Values", token.end)
        elif (
            word == "FORMAT"
            and (name := _FORMAT_NAME.match(text, token.end))
            # `SELECT format FROM …`: after SELECT only the end of a line ends the statement.
            and (not selecting or name.group(2) is not None)
        ):
            return Insert(raw[: name.end(1)].decode(), name.group(1), name.end())
    return None


def described(text: str) -> str | None:
    """Return what a DESCRIBE describes, None when the statement is another one.

    >>> described("DESCRIBE TABLE crm.deal FORMAT JSON")
    ' crm.deal FORMAT JSON'
    """
    found = tokens(text)
    first = next(found, None)
    if first is None or first.text.upper() not in {"DESCRIBE", "DESC"}:
        return None
    second = next(found, None)
    end = second.end if second is not None and second.text.upper() == "TABLE" else first.end
    return text[end:]


def is_listing(text: str) -> bool:
    """Tell whether it is a SHOW or EXISTS that can neither call a function nor write a file."""
    words = [token.text.upper() for token in tokens(text)]
    return words[:1] in (["SHOW"], ["EXISTS"]) and not {"(", "OUTFILE"} & set(words)


def without_json_arguments(text: str) -> tuple[str, list[Token]]:
    """Take the arguments of the type JSON out of a CREATE or ALTER.

    The engine can't show a tree with them, and they are limits, paths and types.

    Returns:
        The statement without them, and the tokens taken out; the text itself and nothing when it is
        another statement.

    >>> without_json_arguments("CREATE TABLE t (p JSON(max_dynamic_paths=8), a Int8)")[0]
    'CREATE TABLE t (p JSON, a Int8)'
    """
    kept, taken, done = "", list[Token](), 0
    found = list(tokens(text))
    if not found or found[0].text.upper() not in {"CREATE", "ALTER", "ATTACH"}:
        return text, []
    opened: Token | None = None
    for before, token in pairwise(found):
        if opened is not None:
            if token.text == ")" and token.depth == opened.depth:
                opened, done = None, token.end
            else:
                taken.append(token)
        elif token.text == "(" and before.kind == "word" and before.text.upper() == "JSON":
            kept, opened = kept + text[done : before.end], token
    return kept + text[done:], taken


def walk(tree: object, key: str = "") -> Iterator[tuple[str, Node]]:
    """Visit each node of a syntax tree with the key it hangs on; not codecs and index types."""
    pending: list[tuple[str, object]] = [(key, tree)]
    while pending:
        name, item = pending.pop()
        if isinstance(item, dict):
            yield name, item
            pending.extend((k, v) for k, v in item.items() if k not in _NOT_CALLS)
        elif isinstance(item, list):
            pending.extend((name, child) for child in item)


def text_of(node: object, field: str = "name") -> str:
    """Return a text field of a node, or the name of the identifier there; empty when absent."""
    value = node.get(field) if isinstance(node, dict) else None
    if isinstance(value, dict):
        value = value.get("name")
    return value if isinstance(value, str) else ""


def attach_data(tree: Node, inputs: list[Node], *, path: str, fmt: str) -> None:
    """Make an INSERT read its data from a file of ours, in place.

    Args:
        tree: The INSERT's syntax tree.
        inputs: Its `input(…)` calls: none (the data go straight into the table) or one.
        path: The file; uncompressed data.
        fmt: Input format of the data.

    Raises:
        Refused: `input()` more than once or without a structure.
    """
    if not inputs:
        tree["infile"], tree["compression"] = _literal(path), _literal("none")
        return
    arguments = cast("Node", inputs[0].get("arguments", {})).get("children", [])
    if len(inputs) > 1 or not isinstance(arguments, list) or len(arguments) != 1:
        raise Refused(BAD_ARGUMENTS, "input() takes its structure, and can be read once")
    inputs[0]["name"] = "file"
    inputs[0]["arguments"] = {
        "type": "ExpressionList",
        "children": [_literal(path), _literal(fmt), arguments[0], _literal("none")],
    }


def _literal(value: str) -> Node:
    return {"type": "Literal", "value": {"field_type": "String", "value": value}}
