"""The fold reaches nothing that differs between two runs. Run by `make check`.

Read are all modules that `streams.domain` imports, as far as they are ours. What is looked for is
listed in `RULES`, each with the reason. An exception is a line that ends in `# determinism: why`.

Sets: iterating one, popping from one, or making a sequence of one gives the order of its hashes,
and those of text change with `PYTHONHASHSEED`. `sorted(…)`, `len(…)`, membership and set algebra
are fine. What is a set is told by its literals, calls and annotations within one module; that isn't
a type checker's knowledge, so a test folds a journal under two hash seeds as well.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
START = "streams.domain"
OURS = ("streams", "schemas")
EXCUSE = "# determinism:"

RULES: dict[str, str] = {
    "clock": "time is an argument; ticks carry it",
    "randomness": "what is drawn can't be drawn again",
    "environment": "another machine folds another way",
    "concurrency": "the order of threads isn't in the journal",
    "hash": "differs between processes (PYTHONHASHSEED)",
    "identity": "an address differs between processes",
    "set order": "the order of a set is that of its hashes",
    "float sum": "a sum of floats depends on its order; use integers, or math.fsum",
}

MODULES: dict[str, str] = {
    **dict.fromkeys(("random", "secrets", "uuid"), "randomness"),
    **dict.fromkeys(("os", "sys", "platform", "locale", "socket", "getpass", "tempfile"),
                    "environment"),
    **dict.fromkeys(("threading", "asyncio", "multiprocessing", "concurrent"), "concurrency"),
    "time": "clock",
}  # fmt: skip
"""Modules that may not be imported at all."""

NAMES: dict[str, str] = {
    "hash": "hash", "id": "identity", "input": "environment", "open": "environment",
}  # fmt: skip
"""Builtins that may not be called."""

METHODS: dict[str, str] = {
    **dict.fromkeys(("now", "utcnow", "today"), "clock"),
    **dict.fromkeys(("uuid1", "uuid4", "urandom", "getrandbits"), "randomness"),
    **dict.fromkeys(("getenv", "environ", "getlocale", "strxfrm"), "environment"),
}
"""Attributes that may not be used, of whatever object."""

ORDERED_BY = frozenset({"list", "tuple", "enumerate", "iter", "next", "zip", "map", "filter"})
UNORDERED = frozenset({"sorted", "len", "any", "all", "min", "max", "set", "frozenset", "sum"})
TAKES = frozenset({"get", "pop", "setdefault"})
ALGEBRA = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
SET_TYPES = frozenset({"set", "frozenset", "Set", "AbstractSet", "MutableSet"})


class Finding(NamedTuple):
    """One place that may differ between runs."""

    path: str
    line: int
    rule: str
    what: str


def check(source: str, path: str = "module.py", shared: "Shared | None" = None) -> list[Finding]:
    """Return what a module does that the fold must not do.

    Args:
        source: Of the module.
        path: For the findings.
        shared: What is known of all modules; without it this one counts alone.

    Examples:
        >>> check("for key in {1, 2}: print(key)")[0].rule
        'set order'
        >>> check("for key in sorted({1, 2}): print(key)")
        []
    """
    lines = source.splitlines()
    tree = ast.parse(source)
    sets = _Sets(tree, shared or Shared.of([tree]))
    return sorted({
        Finding(path, node.lineno, rule, what)
        for node in ast.walk(tree)
        for rule, what in _judge(node, sets)
        if isinstance(node, ast.expr | ast.stmt) and EXCUSE not in lines[node.lineno - 1]
    })  # fmt: skip


def _judge(node: ast.AST, sets: "_Sets") -> Iterator[tuple[str, str]]:
    match node:
        case ast.Import(names=names):
            yield from ((MODULES[root], f"import {root}") for alias in names
                        if (root := alias.name.partition(".")[0]) in MODULES)  # fmt: skip
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
            yield MODULES[module.partition(".")[0]], f"from {module}"
        case ast.Attribute(attr=name) if name in METHODS:
            yield METHODS[name], f".{name}"
        case ast.Call():
            yield from _call(node, sets)
        case ast.For(iter=over) | ast.comprehension(iter=over) if sets.is_set(over):
            yield "set order", "iterated"
        case ast.Starred(value=over) if sets.is_set(over):
            yield "set order", "unpacked"
        case (
            ast.ListComp(generators=g) | ast.GeneratorExp(generators=g) | ast.DictComp(generators=g)
        ) if any(sets.is_set(each.iter) for each in g) and node not in sets.reordered:
            yield "set order", "iterated"


def _call(node: ast.Call, sets: "_Sets") -> Iterator[tuple[str, str]]:
    match node.func:
        case ast.Name(id=name) if name in NAMES:
            yield NAMES[name], f"{name}()"
        case ast.Name(id=name) if name in ORDERED_BY and any(map(sets.is_set, node.args)):
            yield "set order", f"{name}() of a set"
        case ast.Name(id="sum") if any(_has_float(argument) for argument in node.args):
            yield "float sum", "sum() of floats"
        case ast.Attribute(attr="fromtimestamp") if len(node.args) < 2 and not node.keywords:
            yield "clock", ".fromtimestamp() in the machine's zone"
        case ast.Attribute(attr="pop", value=of) if not node.args and sets.is_set(of):
            yield "set order", ".pop() of a set"
        case ast.Attribute(attr="join") if any(map(sets.is_set, node.args)):
            yield "set order", ".join() of a set"


def _has_float(node: ast.AST) -> bool:
    return any(
        (isinstance(each, ast.Constant) and isinstance(each.value, float))
        or (isinstance(each, ast.BinOp) and isinstance(each.op, ast.Div))
        or (isinstance(each, ast.Call) and ast.unparse(each.func) == "float")
        for each in ast.walk(node)
    )


@dataclass
class Shared:
    """What is a set in any of the modules, by annotations: fields and results are used elsewhere.

    Attributes:
        attributes: Names of fields that are sets.
        holders: Names of fields whose values are sets (`dict[str, set[bytes]]`).
        functions: Names of functions that return one.
    """

    attributes: set[str] = field(default_factory=set)
    holders: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, trees: Iterable[ast.Module]) -> "Shared":
        """Return what the annotations of modules say."""
        shared, others = cls(), cls()
        for node in (node for tree in trees for node in ast.walk(tree)):
            match node:
                case ast.FunctionDef(name=name, returns=ast.expr() as returns):
                    (shared if _says_set(returns) else others).functions.add(name)
                case ast.AnnAssign(target=ast.Attribute(attr=name) | ast.Name(id=name)):
                    is_set, holds = _says_set(node.annotation), _holds_sets(node.annotation)
                    (shared if is_set else others).attributes.add(name)
                    (shared if holds else others).holders.add(name)
        # A name that means several things says nothing.
        shared.attributes -= others.attributes
        shared.holders -= others.holders
        shared.functions -= others.functions
        return shared


class _Sets:
    """What is a set in one module, by its literals, calls, annotations and assignments.

    Args:
        tree: The module.
        shared: What other modules say of fields and functions.

    Attributes:
        reordered: Comprehensions whose order doesn't matter, because of what they are given to.
    """

    def __init__(self, tree: ast.Module, shared: Shared) -> None:
        self._shared = shared
        self._names: set[str] = set()
        self.reordered: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_named(node.func, UNORDERED):
                self.reordered.update(node.args)
        for _ in range(2):  # a name may be assigned from one that is found later
            for node in ast.walk(tree):
                self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                if _says_set(annotation):
                    self._names.add(name)
            case ast.arg(arg=name, annotation=ast.expr() as annotation):
                if _says_set(annotation):
                    self._names.add(name)
            case ast.Assign(targets=targets, value=value) if self.is_set(value):
                self._names.update(each.id for each in targets if isinstance(each, ast.Name))
                self._shared.attributes.update(
                    each.attr for each in targets if isinstance(each, ast.Attribute)
                )
            case ast.NamedExpr(target=ast.Name(id=name), value=value) if self.is_set(value):
                self._names.add(name)

    def is_set(self, node: ast.AST) -> bool:
        """Tell whether an expression is known to be a set."""
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._is_known(node)
            case ast.Call():
                return self._gives(node)
            case _:
                return any(map(self.is_set, _alternatives(node)))

    def _is_known(self, node: ast.Name | ast.Attribute | ast.Subscript) -> bool:
        if isinstance(node, ast.Name):
            return node.id in self._names
        if isinstance(node, ast.Attribute):
            return node.attr in self._shared.attributes
        return self._holds(node.value)

    def _gives(self, call: ast.Call) -> bool:
        match call.func:
            case ast.Name(id=name):
                return name in {"set", "frozenset"} or name in self._shared.functions
            case ast.Attribute(attr=name, value=of):
                return (
                    name in self._shared.functions
                    or (name in ALGEBRA and self.is_set(of))
                    or (name in TAKES and self._holds(of))
                )
            case _:
                return False

    def _holds(self, node: ast.AST) -> bool:
        named = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        return named in self._shared.holders


def _alternatives(node: ast.AST) -> Sequence[ast.AST]:
    """Return the parts of an expression of which one being a set makes it one."""
    match node:
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
            return (node.left, node.right)
        case ast.BoolOp(values=values):
            return values
        case ast.IfExp(body=body, orelse=orelse):
            return (body, orelse)
        case _:
            return ()


def _is_named(node: ast.AST, names: frozenset[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _holds_sets(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Subscript) and any(
        _says_set(each) for each in ast.walk(annotation.slice) if isinstance(each, ast.expr)
    )


def _says_set(annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.BinOp):
        return _says_set(annotation.left) or _says_set(annotation.right)
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return ast.unparse(named).rpartition(".")[2] in SET_TYPES


def closure(root: Path = ROOT, start: str = START) -> list[Path]:
    """Return the files of every module of ours that the package `start` imports, itself included.

    Imports for type checking only are no imports.
    """
    waiting = sorted((root / start.replace(".", "/")).rglob("*.py"))
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [each for each in _imported(root, path) if each not in found]
    return sorted(found)


def _imported(root: Path, path: Path) -> Iterator[Path]:
    for name in _names_imported(ast.parse(path.read_text(encoding="utf8"))):
        if name.partition(".")[0] in OURS:
            yield from _files_of(root, name)


def _names_imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=test) if ast.unparse(test).endswith("TYPE_CHECKING"):
                continue
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case _:
                yield from _names_imported(node)


def _files_of(root: Path, name: str) -> Iterator[Path]:
    """Return a module's file and those of the packages around it, which run first."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:length])
        yield from (each for each in (base / "__init__.py", base.with_suffix(".py"))
                    if each.is_file())  # fmt: skip


def findings(paths: Sequence[Path], root: Path = ROOT) -> list[Finding]:
    """Return what is found in files."""
    sources = {str(path.relative_to(root)): path.read_text(encoding="utf8") for path in paths}
    shared = Shared.of(ast.parse(source) for source in sources.values())
    return [finding for path, source in sources.items() for finding in check(source, path, shared)]


def main() -> int:
    """Print what is found; exit 1 if anything is."""
    found = findings(closure())
    for path, line, rule, what in found:
        sys.stderr.write(f"{path}:{line}: {rule}: {what}; {RULES[rule]}\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
