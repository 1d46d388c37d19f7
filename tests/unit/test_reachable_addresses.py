"""Where a webhook may go: the table of addresses and URLs, and the check where the socket is made."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver

from attendance.domain.addresses import is_public, may_reach, target_of
from attendance.errors import InvalidInputError
from attendance.outbound.guarded_http import AddressRefusedError, _socket_for, open_sender
from tests.unit.record_vectors import vector_json

VECTORS = "derived/ssrf-addresses.json"
# The worst of them, for who has no vectors at hand.
CLOSED = [
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
OPEN = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "193.99.144.80", "2a00:1450:4001::1"]


class Answers(AbstractResolver):
    """Answers every name with the same addresses, one list after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[Any]:
        del family
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in addresses
        ]

    async def close(self) -> None:
        return None


def info(address: str, port: int = 443) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_on_the_internet_is_closed(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_open(address):
    assert is_public(ip_address(address))


def test_every_address_of_the_vectors_is_judged_as_they_say():
    vectors = vector_json(VECTORS)
    assert [address for address in vectors["deny"] if is_public(ip_address(address))] == []
    assert [address for address in vectors["allow"] if not is_public(ip_address(address))] == []
    assert [a for a in vectors["python_3_11_is_global_true_but_deny"] if is_public(ip_address(a))] == []


async def test_no_address_of_the_vectors_is_connected_to_by_name(monkeypatch):
    """The resolver answers every name with it, and no socket is ever made."""
    monkeypatch.setattr(socket, "socket", forbidden)
    addresses = vector_json(VECTORS)["deny"]
    resolver = Answers(*([address] for address in addresses))
    async with open_sender((), "test", resolver=resolver) as sender:
        for address in addresses:
            reply = await sender.send("https://innocent.example/", {}, b"{}")
            assert reply.status is None
            assert "not on the internet" in str(reply.error), address
            assert address not in str(reply.error), "what a name resolves to inside is nobody's business"
    assert resolver.asked == ["innocent.example"] * len(addresses)


async def test_no_address_of_the_vectors_is_connected_to_when_written_out(monkeypatch):
    monkeypatch.setattr(socket, "socket", forbidden)
    async with open_sender((), "test", resolver=Answers(["8.8.8.8"])) as sender:
        for address in vector_json(VECTORS)["deny"]:
            host = f"[{address}]" if ":" in address else address
            assert (await sender.send(f"https://{host}/", {}, b"")).error
            with pytest.raises(InvalidInputError):
                target_of(f"https://{host}/", ())


async def test_no_url_of_the_vectors_is_called_whatever_its_name_resolves_to(monkeypatch):
    monkeypatch.setattr(socket, "socket", forbidden)
    for answer in ("127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"):
        async with open_sender((), "test", resolver=Answers([answer])) as sender:
            for url in vector_json(VECTORS)["urls_deny"]:
                reply = await sender.send(url, {}, b"")
                assert reply.status is None, url
                assert reply.error, url


def forbidden(*_arguments: object, **_more: object) -> socket.socket:
    pytest.fail("a socket was made")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///path",
        "HTTPS://EXAMPLE.COM/",
        "https://example.com:0/",
        "https://example.com:22/",
        "https://example.com:80/",
        "https://example.com:65536/",
        "https://example.com:\uff14\uff14\uff13/",
        "https://user@example.com/",
        "https://example.com/#fragment",
        "https://example.com./",
        "https://example..com/",
        "https://-example.com/",
        "https://exa_mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com /",
        "https://example.com/\r\nX: y",
        "https://exämple.com/",
        "https://example.com/ä",
        "https://[::1%25eth0]/",
        "https://[fe80::1]/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://1.2.3/",
        "https://localhost/",
        "https://foo.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://intranet/",
        "http://example.com/",
        "//example.com/",
        "javascript:alert(1)",
        "https://example.com/" + "a" * 2000,
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 130 + "com/",
    ],
)
def test_a_url_that_readers_could_disagree_on_is_refused(url):
    with pytest.raises(InvalidInputError) as refused:
        target_of(url, ())
    assert refused.value.details["url"]


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.com", "example.com", 443),
        ("https://Example.COM/a/b?c=d&e=%20", "example.com", 443),
        ("https://example.com:8443/", "example.com", 8443),
        ("https://xn--bcher-kva.example/?q", "xn--bcher-kva.example", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2606:4700:4700::1111]:4430/", "[2606:4700:4700::1111]", 4430),
    ],
)
def test_a_plain_url_of_the_internet_is_taken(url, host, port):
    target = target_of(url, ())
    assert (target.scheme, target.host, target.port) == ("https", host, port)


def test_the_operator_s_networks_are_reached_without_tls_too_and_nothing_else_is():
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00:1::/64"))
    for url in ("http://10.1.2.3/", "http://dashboard:3000/hook", "http://[fd00:1::7]:8080/", "https://10.1.2.3/"):
        target_of(url, allowed)
    for url in (
        "http://10.2.0.1/",
        "https://10.2.0.1/",
        "http://8.8.8.8/",
        "http://10.1.2.3:22/",
        "https://[::ffff:10.1.2.3]/",
    ):
        with pytest.raises(InvalidInputError):
            target_of(url, allowed)
    assert may_reach(ip_address("10.1.2.3"), 80, allowed, encrypted=False)
    assert may_reach(ip_address("8.8.8.8"), 443, allowed, encrypted=True)
    assert not may_reach(ip_address("8.8.8.8"), 80, allowed, encrypted=False), "a public address without TLS"
    assert not may_reach(ip_address("::ffff:10.1.2.3"), 443, allowed, encrypted=True), "mapped is not the network's"
    assert not may_reach(ip_address("10.1.2.3"), 22, allowed, encrypted=True)


async def test_a_name_that_resolves_differently_the_second_time_gains_nothing(monkeypatch):
    """There is no second time: what was resolved is what is judged and connected to."""
    monkeypatch.setattr(socket, "socket", forbidden)
    resolver = Answers(["127.0.0.1"], ["8.8.8.8"])
    async with open_sender((), "test", resolver=resolver) as sender:
        assert (await sender.send("https://rebinding.example/", {}, b"")).status is None
    assert len(resolver.asked) == 1


def test_the_socket_is_made_for_public_addresses():
    for address in OPEN[:3]:
        _socket_for((), info(address), encrypted=True).close()
    for address, port in (("8.8.8.8", 22), ("127.0.0.1", 443)):
        with pytest.raises(AddressRefusedError):
            _socket_for((), info(address, port), encrypted=True)
    with pytest.raises(AddressRefusedError):
        _socket_for((), info("8.8.8.8", 80), encrypted=False)
