"""HTTP servers of this process: their sockets and their ends."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import uvicorn
from prometheus_client import start_http_server

from attendance.errors import ConfigError

HTTP: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,  # the API reads X-Forwarded-For itself, from trusted proxies only
    "timeout_graceful_shutdown": 5,
    "ws": "none",
}


_BACKLOG = 2048  # uvicorn's own


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handlers: stopping is `run_service`'s business."""

    @contextmanager
    def capture_signals(self) -> Any:
        """Leave the signals alone."""
        yield

    def ask_to_stop(self) -> None:
        """Finish the running requests and end."""
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections, which wait until a server accepts them; port 0 is any free one.

    Raises:
        ConfigError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve_metrics(host: str, port: int) -> Callable[[], None]:
    """Serve Prometheus metrics in a thread of their own; returns what ends that."""
    try:
        server, _thread = start_http_server(port, host)
    except OSError as error:
        raise ConfigError(f"cannot serve metrics on {host}:{port}: {error.strerror}") from error
    return server.shutdown
