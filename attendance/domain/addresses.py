"""Which addresses a request that somebody else may aim is allowed to reach, and how such a URL must look."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from attendance.errors import InvalidInputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_CHARACTERS = 2_000
_HTTP_PORT, _HTTPS_PORT = 80, 443
_FIRST_UNPRIVILEGED_PORT = 1_024
_LAST_PORT = 65_535

# Everything that the IANA special-purpose registries do not call globally reachable, and what tunnels or maps to IPv4.
# Not `is_global`: up to Python 3.13 it lets many of these through, and what it says differs between versions.
_CLOSED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation, as are 198.51.100.0 and 203.0.113.0
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Global unicast is 2000::/3; what lies outside of it is nobody's public address (NAT64, mapped, local, multicast …).
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_CLOSED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID …
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: wraps any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the 6bone that was
        "3fff::/20",  # documentation
    )
)

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII,
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)
_MAX_NAME = 253
# Names that no public resolver may answer (RFC 6761 and its followers), and those that clouds give to their insides.
_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa", "localdomain")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. ``address`` where the host is a literal one."""

    scheme: str
    host: str
    port: int
    address: Address | None


def is_public(address: Address) -> bool:
    """Whether an address is one machine somewhere on the internet. An IPv4 address inside an IPv6 one never is."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _CLOSED_IPV6)


def may_reach(address: Address, port: int, allowed: Sequence[Network], *, encrypted: bool) -> bool:
    """Whether a connection may be made: the one rule, asked for the address that is really connected to.

    Args:
        address: the peer.
        port: its port: 443 (80 without encryption) or any from 1024 on.
        allowed: the operator's own networks. An IPv4-mapped address is never in one of IPv4.
        encrypted: without TLS, only the operator's own networks are reached.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    if not _is_port_open(port, encrypted=encrypted):
        return False
    return any(address in network for network in allowed) or (encrypted and is_public(address))


def target_of(url: str, allowed: Sequence[Network]) -> Target:
    """Read a URL, strictly enough that no two readers can disagree on where it leads.

    Names are not resolved here: whom they stand for is judged when a connection is made (`may_reach`).

    Raises:
        InvalidInputError: it is no URL that may be called; the details say why.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARACTERS else None
    if match is None:
        raise _refused(
            f"an https:// URL of at most {MAX_URL_CHARACTERS} plain characters, without user, password or fragment; "
            "a name in other letters in its xn-- form"
        )
    scheme, host = match["scheme"], match["host"].lower()
    encrypted = scheme == "https"
    if not encrypted and not allowed:
        raise _refused("must begin with https://")
    port = int(match["port"]) if match["port"] else (_HTTPS_PORT if encrypted else _HTTP_PORT)
    if not _is_port_open(port, encrypted=encrypted):
        raise _refused(f"the port must be {_HTTPS_PORT if encrypted else _HTTP_PORT}, or {_FIRST_UNPRIVILEGED_PORT} and above")
    address = _literal(host)
    if address is None:
        _check_name(host, allowed)
    elif not may_reach(address, port, allowed, encrypted=encrypted):
        raise _refused("this address is not on the internet, and its network is not in ROLLCALL_WEBHOOK_ALLOW")
    return Target(scheme, host, port, address)


def _is_port_open(port: int, *, encrypted: bool) -> bool:
    return port == (_HTTPS_PORT if encrypted else _HTTP_PORT) or _FIRST_UNPRIVILEGED_PORT <= port <= _LAST_PORT


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    # What ends in a number is an IPv4 address to every browser, in octal, hexadecimal or with parts left out.
    if host.startswith("[") or _NUMERIC.fullmatch(host.rpartition(".")[2]):
        raise _refused("the address is not written in the usual way")
    return None


def _check_name(host: str, allowed: Sequence[Network]) -> None:
    labels = host.split(".")
    if len(host) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("the host's name is malformed")
    is_local = len(labels) == 1 or any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)
    if is_local and not allowed:
        raise _refused("this name is not of the internet (set ROLLCALL_WEBHOOK_ALLOW to reach a network of your own)")


def _refused(problem: str) -> InvalidInputError:
    return InvalidInputError("the URL may not be called", details={"url": problem})
