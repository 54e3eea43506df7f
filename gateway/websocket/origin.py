"""Where a connection comes from, when proxies stand between."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from schemas.errors import ConfigurationError

Networks = Sequence[IPv4Network | IPv6Network]


def networks(given: Sequence[str]) -> Networks:
    """Read networks of proxies.

    Raises:
        ConfigurationError: One is no network.
    """
    try:
        return [ip_network(each) for each in given]
    except ValueError as problem:
        raise ConfigurationError("DAYBOOK_TRUSTED_PROXIES", str(problem)) from None


def client_address(peer: str, forwarded: str, trusted: Networks) -> str:
    """Return the address to count a connection under.

    Read from the right: each entry was written by the one after it, so what a proxy of ours wrote
    is true, and what stands left of the first stranger anybody may have written.

    Args:
        peer: Of the TCP connection.
        forwarded: `X-Forwarded-For`, or empty.
        trusted: Our proxies.

    >>> ours = networks(["10.0.0.0/8"])
    >>> client_address("10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.1", ours)
    '203.0.113.9'
    >>> client_address("203.0.113.9", "6.6.6.6", ours)
    '203.0.113.9'
    """
    chain = [each.strip() for each in forwarded.split(",") if each.strip()]
    address = peer
    while chain and _is_in(address, trusted):
        address = chain.pop()
    return address


def _is_in(address: str, trusted: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in trusted)
