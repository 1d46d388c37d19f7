"""Where a request came from: the address of the client, as far as trusted proxies say. Both HTTP applications ask here."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address


def client_ip(
    peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]
) -> IPv4Address | IPv6Address | None:
    """Who is at the other end, believing ``X-Forwarded-For`` only as far as trusted proxies wrote it.

    ``forwarded_for`` are the header's values in order. The nearest address that is no trusted proxy is the client; None
    where the peer has no address (a unix socket) and no proxy says more.
    """
    address = _address(peer or "")
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    while hops and address is not None and any(address in network for network in trusted):
        further = _address(hops.pop())
        if further is None:
            break
        address = further
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
