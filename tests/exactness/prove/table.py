"""All mutations, and how the documentation shows them."""

from collections.abc import Iterable

from tests.exactness.prove.mutation import Mutation
from tests.exactness.prove.overrides import OVERRIDES
from tests.exactness.prove.protections import PROTECTIONS

MUTATIONS = (*OVERRIDES, *PROTECTIONS)

HEAD = "| protection | without it | test that fails then |\n| --- | --- | --- |\n"


def rows(mutations: Iterable[Mutation]) -> str:
    """Return the lines of a table in docs/reliability-proofs.md."""
    return HEAD + "".join(
        f"| {mutation.name} | {mutation.prevents} | {_tests(mutation)} |\n"
        for mutation in mutations
    )


def _tests(mutation: Mutation) -> str:
    return ", ".join(f"`{test.partition('::')[2]}`" for test in mutation.tests)
