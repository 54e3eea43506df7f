"""What keeps an app from starting is said in one line."""

from schemas.topics import catalogue
from streams.runtime.preflight import problem_with

WANTED = catalogue("daybook", 4)
FOUND = {topic.name: topic.partitions for topic in WANTED}


def test_prepared_cluster_has_no_problem() -> None:
    """All topics with their counts, and others beside them, are fine."""
    assert problem_with({**FOUND, "other": 1}, WANTED) is None


def test_missing_topics_are_all_named() -> None:
    """Every missing topic is in the message, with the command that makes them."""
    found = {name: count for name, count in FOUND.items() if not name.startswith("derived")}
    problem = problem_with(found, WANTED)
    assert problem is not None
    missing = [topic.name for topic in WANTED if topic.name.startswith("derived")]
    assert len(missing) > 1
    assert f"topics missing: {', '.join(missing)}; run `daybook topics create`" in str(problem)


def test_wrong_partition_count_names_the_setting() -> None:
    """A count that differs would send effects where nobody looks; the message says what to set."""
    problem = problem_with({**FOUND, "journal.v1": 8}, WANTED)
    assert problem is not None
    assert problem.setting == "partitions"
    assert "journal.v1 has 8 partitions, not 4" in str(problem)
