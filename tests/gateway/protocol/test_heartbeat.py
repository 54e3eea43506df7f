"""Pings and their answers."""

from gateway.protocol.heartbeat import Heartbeat


def test_a_ping_is_due_and_then_its_answer() -> None:
    """One ping at a time, and time to answer it."""
    heartbeat = Heartbeat(25, 10, 100.0)
    assert heartbeat.due_s == 125.0
    assert not heartbeat.ping(124.9)
    assert heartbeat.ping(125.0)
    assert not heartbeat.ping(125.0)
    assert heartbeat.due_s == 135.0
    assert not heartbeat.missed(134.9)
    assert heartbeat.missed(135.0)


def test_an_answer_is_good_until_the_next_ping() -> None:
    """Answering early, late or twice changes nothing else."""
    heartbeat = Heartbeat(25, 10, 100.0)
    heartbeat.answered()
    heartbeat.ping(125.0)
    heartbeat.answered()
    assert not heartbeat.missed(149.9)
    assert heartbeat.due_s == 150.0


def test_a_ping_sent_late_does_not_extend_an_answer() -> None:
    """A gateway that was busy pings late; what was asked before is still waited for."""
    heartbeat = Heartbeat(25, 10, 100.0)
    heartbeat.ping(125.0)
    heartbeat.ping(300.0)
    assert heartbeat.missed(135.0)
