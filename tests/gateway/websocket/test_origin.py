"""Whose connection it is when proxies stand between."""

import pytest

from gateway.websocket.origin import client_address, networks
from schemas.errors import ConfigurationError

OURS = networks(["10.0.0.0/8", "::1/128"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "not an address", "not an address"),
    ],
)
def test_only_our_proxies_are_believed(peer: str, forwarded: str, address: str) -> None:
    """What a stranger wrote into the header says nothing."""
    assert client_address(peer, forwarded, OURS) == address


def test_wrong_network_is_a_wrong_setting() -> None:
    """It names the setting."""
    with pytest.raises(ConfigurationError, match="DAYBOOK_TRUSTED_PROXIES"):
        networks(["10.0.0.1/8"])
