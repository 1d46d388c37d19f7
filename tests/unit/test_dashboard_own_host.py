"""Which names of loopback are other names of the dashboard's own address."""

from __future__ import annotations

import pytest

from dashboard.security.own_host import is_other_name


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8081", "localhost:8081"),
        ("http://localhost:8081", "127.0.0.1:8081"),
        ("http://localhost:8081", "[::1]:8081"),
        ("http://localhost", "127.0.0.1"),
        ("http://localhost", "127.0.0.1:80"),
        ("http://127.0.0.1:8081", "LOCALHOST:8081"),
    ],
)
def test_another_name_of_loopback_on_the_same_port_is_the_same_dashboard(url: str, host: str) -> None:
    assert is_other_name(url, host)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8081", "127.0.0.1:8081"),  # its own: a redirect would go round for ever
        ("http://127.0.0.1:8081", "localhost:9000"),  # what another process has
        ("http://127.0.0.1:8081", "evil.example:8081"),
        ("http://127.0.0.1:8081", "localhost.evil.example:8081"),
        ("http://127.0.0.1:8081", "x@localhost:8081"),
        ("http://127.0.0.1:8081", ""),
        ("http://127.0.0.1:8081", "[::1:8081"),
        ("http://127.0.0.1:8081", "localhost:port"),
        ("https://rollcall.example", "localhost"),
        ("http://rollcall.example", "localhost"),  # behind a proxy that does not pass the name on
        ("https://localhost:8081", "127.0.0.1:8081"),
    ],
)
def test_nothing_else_is(url: str, host: str) -> None:
    assert not is_other_name(url, host)
