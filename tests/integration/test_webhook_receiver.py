"""The sender against a real receiver on loopback, reached because the operator's networks name it."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from attendance.outbound.guarded_http import open_sender
from tests.loopback_server import speaking
from tests.unit.test_reachable_addresses import Answers

LOOPBACK = (ip_network("127.0.0.0/8"),)
Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


@asynccontextmanager
async def receiving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def answering(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return handler


async def test_a_receiver_gets_the_body_byte_for_byte_with_its_headers():
    got: list[tuple[str, dict[str, str], bytes]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        got.append((request.raw_path, dict(request.headers), await request.read()))
        return web.Response(status=204)

    async with receiving(handler) as port, open_sender(LOOPBACK, "Rollcall/1") as sender:
        body = '{"a": "ä\\u0000 "}'.encode()
        reply = await sender.send(f"http://127.0.0.1:{port}/a%20b?c=%2F", {"webhook-id": "x"}, body)
    assert (reply.status, reply.error) == (204, None)
    ((path, headers, received),) = got
    assert (path, received) == ("/a%20b?c=%2F", body)
    assert (headers["webhook-id"], headers["Content-Type"], headers["User-Agent"]) == ("x", "application/json", "Rollcall/1")


@pytest.mark.parametrize("status", [200, 410, 429, 500])
async def test_a_status_is_the_reply_and_nothing_else_of_the_answer(status):
    async with receiving(answering(status, b"secrets of the inside")) as port, open_sender(LOOPBACK, "t") as sender:
        reply = await sender.send(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert reply.status == status
    assert "secrets" not in repr(reply)


@pytest.mark.parametrize(
    ("header", "waited"), [("120", 120_000), ("", 0), ("-1", 0), ("soon", 0), ("9" * 30, 0), ("\u0661", 0)]
)
async def test_retry_after_is_read_as_seconds(header, waited):
    answer = answering(503, headers={"Retry-After": header})
    async with receiving(answer) as port, open_sender(LOOPBACK, "t") as sender:
        assert (await sender.send(f"http://127.0.0.1:{port}/", {}, b"")).retry_after_ms == waited


async def test_a_redirect_is_not_followed():
    paths: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with receiving(handler) as port, open_sender(LOOPBACK, "t") as sender:
        assert (await sender.send(f"http://127.0.0.1:{port}/first", {}, b"")).status == 307
    assert paths == ["/first"]


async def test_a_slow_receiver_is_given_up_at_the_time_out():
    async def handler(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with receiving(handler) as port, open_sender(LOOPBACK, "t", total_seconds=0.1) as sender:
        reply = await sender.send(f"http://127.0.0.1:{port}/", {}, b"")
    assert (reply.status, reply.error) == (None, "no answer within 0.1 s")


async def test_a_body_that_never_ends_holds_nobody_up_and_the_status_stands():
    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except OSError:
            writer.close()

    async with speaking(raw) as port, open_sender(LOOPBACK, "t", total_seconds=120) as sender:
        async with asyncio.timeout(60):
            assert (await sender.send(f"http://127.0.0.1:{port}/", {}, b"")).status == 200


async def test_a_body_that_unpacks_to_gigabytes_is_not_unpacked():
    packed = gzip.compress(bytes(50_000_000), 9)
    async with receiving(answering(200, packed, {"Content-Encoding": "gzip"})) as port, open_sender(LOOPBACK, "t") as sender:
        assert (await sender.send(f"http://127.0.0.1:{port}/", {}, b"")).status == 200


@pytest.mark.parametrize(
    "said",
    [b"", b"\x16\x03\x01", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, b"HTTP/1.1 999999 no\r\n\r\n"],
)
async def test_what_is_no_http_is_a_failure_in_words(said):
    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with speaking(raw) as port, open_sender(LOOPBACK, "t", total_seconds=5) as sender:
        reply = await sender.send(f"http://127.0.0.1:{port}/", {}, b"")
    assert reply.status is None
    assert reply.error in {"the answer is not HTTP", "the connection was closed before an answer"}


async def test_nobody_listening_is_a_failure_in_words():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with open_sender(LOOPBACK, "t") as sender:
            assert (await sender.send(f"http://127.0.0.1:{port}/", {}, b"")).error == "no connection could be made"


async def test_a_name_is_reached_only_if_its_address_may_be():
    async with receiving(answering(200)) as port:
        async with open_sender(LOOPBACK, "t", resolver=Answers(["127.0.0.1"])) as sender:
            assert (await sender.send(f"http://dashboard:{port}/", {}, b"")).status == 200
        async with open_sender((ip_network("10.0.0.0/8"),), "t", resolver=Answers(["127.0.0.1"])) as sender:
            assert "not on the internet" in str((await sender.send(f"http://dashboard:{port}/", {}, b"")).error)
            assert "not on the internet" in str((await sender.send(f"https://dashboard:{port}/", {}, b"")).error)


async def test_of_several_addresses_only_those_that_may_be_are_tried():
    several = Answers(["10.0.0.1", "169.254.169.254", "127.0.0.1"])
    async with receiving(answering(200)) as port, open_sender(LOOPBACK, "t", resolver=several) as sender:
        assert (await sender.send(f"http://dashboard:{port}/", {}, b"")).status == 200


async def test_names_are_resolved_in_threads_that_nobody_else_waits_for(monkeypatch):
    asked: list[tuple[str, str]] = []

    def answers(host: str, port: int, *_rest: object) -> list[Any]:
        asked.append((host, threading.current_thread().name))
        if host == "nowhere.example":
            raise socket.gaierror(-2, "Name or service not known")
        link_local = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", port, 0, 2))
        return [link_local, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with receiving(answering(200)) as port, open_sender(LOOPBACK, "t") as sender:
        monkeypatch.setattr(socket, "getaddrinfo", answers)
        assert (await sender.send(f"http://dashboard:{port}/", {}, b"")).status == 200
        assert (await sender.send("https://nowhere.example/", {}, b"")).error == "the name cannot be resolved"
    assert [host for host, _ in asked] == ["dashboard", "nowhere.example"]
    assert all(thread.startswith("webhook-names") for _, thread in asked)


async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with receiving(answering(200)) as port, open_sender(LOOPBACK, "t") as sender:
        assert (await sender.send(f"http://127.0.0.1:{port}/", {}, b"")).status == 200


async def test_a_cookie_is_never_kept():
    got: list[str | None] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        got.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with receiving(handler) as port, open_sender(LOOPBACK, "t") as sender:
        for _ in range(2):
            await sender.send(f"http://127.0.0.1:{port}/", {}, b"")
    assert got == [None, None]


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", *kind, *subject, "-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return key, cert


async def test_certificates_are_checked_always(tmp_path):
    key, cert = certificate(tmp_path, "receiver.example")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=cert)
    async with receiving(answering(200), server) as port:
        at_home = Answers(["127.0.0.1"])
        async with open_sender(LOOPBACK, "t", resolver=at_home, tls=trusting) as sender:
            assert (await sender.send(f"https://receiver.example:{port}/", {}, b"")).status == 200
            for host in ("other.example", "127.0.0.1"):
                reply = await sender.send(f"https://{host}:{port}/", {}, b"")
                assert (reply.status, reply.error) == (None, "the certificate is not valid for this host")
        async with open_sender(LOOPBACK, "t", resolver=at_home) as sender:
            reply = await sender.send(f"https://receiver.example:{port}/", {}, b"")
            assert (reply.status, reply.error) == (None, "the certificate is not valid for this host")
    careless = ssl.create_default_context()
    careless.check_hostname = False
    with pytest.raises(ValueError, match="checked"):
        async with open_sender(LOOPBACK, "t", tls=careless):
            pass


async def test_tls_spoken_to_a_plain_receiver_is_a_failure_in_words():
    async with receiving(answering(200)) as port, open_sender(LOOPBACK, "t") as sender:
        reply = await sender.send(f"https://127.0.0.1:{port}/", {}, b"")
    assert (reply.status, reply.error) == (None, "no TLS connection could be made")
