"""The cookies: names, and how each is set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from litestar.datastructures import Cookie

AUTH = "auth_token"  # the reference contract's name
THEME = "theme"
FLOW_SECONDS = 600
FLASH_SECONDS = 60
MOST_FLOWS = 8  # each is half a kilobyte in every request
THEME_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Cookies:
    """``is_secure``: people reach us by TLS. Then names that we may choose are ``__Host-…``, which no other host can plant."""

    is_secure: bool

    @property
    def csrf(self) -> str:
        """Name of the forms' token."""
        return self._name("csrf")

    @property
    def flash(self) -> str:
        """Name of what the last write has to say."""
        return self._name("flash")

    def flow(self, state: str) -> str:
        """Name of a sign-in under way: several may be, in several tabs."""
        return self._name(f"sign_in_{state[:8]}")

    def worn_out(self, names: Iterable[str]) -> list[Cookie]:
        """Ends the sign-ins under way among a browser's cookies, where nobody can have so many tabs in earnest."""
        flows = [name for name in names if name.startswith(self.flow(""))]
        return [self.drop(name) for name in flows] if len(flows) >= MOST_FLOWS else []

    def set(self, name: str, value: str, *, seconds: int | None = None, same_site: Literal["lax", "strict"] = "lax") -> Cookie:
        """A cookie of the whole site that no script can read."""
        return Cookie(name, value=value, max_age=seconds, path="/", httponly=True, secure=self.is_secure, samesite=same_site)

    def drop(self, name: str) -> Cookie:
        """The same cookie, ended."""
        return self.set(name, "", seconds=0)

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.is_secure else name
