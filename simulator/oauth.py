"""OAuth2 as Discord does it: authorizations, codes and tokens. Nothing of HTTP is here.

https://discord.com/developers/docs/topics/oauth2; PKCE by RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

ACCESS_SECONDS = 604_800  # a week, as Discord says in `expires_in`
CODE_SECONDS = 600  # the most that RFC 6749, section 4.1.2, recommends; Discord says nothing
SCOPES = frozenset({"identify", "guilds", "email"})


class OAuthError(Exception):
    """A refusal by RFC 6749: ``error`` is its code."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Application:
    """What the developer portal knows of the one application."""

    client_id: str
    client_secret: str
    name: str = "Rollcall"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person let the application see."""

    user_id: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_s: float


@dataclass(slots=True)
class _Authorization:
    grant: Grant
    access: str
    refresh: str
    expires_s: float


@dataclass(slots=True)
class OAuthDesk:
    """Every authorization of the application. ``redirect_uris``, of the developer portal, are compared letter by letter."""

    application: Application
    now_s: Callable[[], float]
    redirect_uris: set[str] = field(default_factory=set)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _authorizations: list[_Authorization] = field(default_factory=list)

    def issue_code(self, grant: Grant, redirect_uri: str, challenge: str | None) -> str:
        """Remember a consent; good for one exchange."""
        code = secrets.token_urlsafe(22)
        self._codes[code] = _Code(grant, redirect_uri, challenge, self.now_s() + CODE_SECONDS)
        return code

    def has_consented(self, grant: Grant) -> bool:
        """Whether this person lets the application see that much already."""
        return any(one.grant.user_id == grant.user_id and grant.scopes <= one.grant.scopes for one in self._authorizations)

    def expect_client(self, client_id: str, client_secret: str) -> None:
        """Check who asks for tokens.

        Raises:
            OAuthError: ``invalid_client`` (401).
        """
        known = self.application
        if client_id != known.client_id or not hmac.compare_digest(client_secret.encode(), known.client_secret.encode()):
            raise OAuthError("invalid_client", status=401)

    def exchange(self, code: str, redirect_uri: str, verifier: str | None) -> dict[str, object]:
        """Tokens for a code, which is used up whatever comes of it.

        Raises:
            OAuthError: ``invalid_grant``.
        """
        found = self._codes.pop(code, None)
        if found is None or found.expires_s <= self.now_s():
            raise OAuthError("invalid_grant", 'Invalid "code" in request.')
        if found.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", 'Invalid "redirect_uri" in request.')
        if found.challenge is not None and (verifier is None or not hmac.compare_digest(s256(verifier), found.challenge)):
            raise OAuthError("invalid_grant", 'Invalid "code_verifier" in request.')
        made = self._made(found.grant)
        self._authorizations.append(made)
        return self._answer(made)

    def refresh(self, refresh_token: str) -> dict[str, object]:
        """New tokens; the old ones are used up.

        Raises:
            OAuthError: ``invalid_grant``.
        """
        found = next((one for one in self._authorizations if one.refresh == refresh_token), None)
        if found is None:
            raise OAuthError("invalid_grant", 'Invalid "refresh_token" in request.')
        made = self._made(found.grant)
        self._authorizations[self._authorizations.index(found)] = made
        return self._answer(made)

    def revoke(self, token: str) -> None:
        """End the authorization that an access or refresh token belongs to, with both of them. Unknown ones are no error."""
        self._authorizations = [one for one in self._authorizations if token not in (one.access, one.refresh)]

    def grant_of(self, access_token: str) -> Grant | None:
        """What an access token is good for; None if for nothing."""
        now_s = self.now_s()
        live = (one for one in self._authorizations if one.expires_s > now_s)
        return next((one.grant for one in live if one.access == access_token), None)

    def _made(self, grant: Grant) -> _Authorization:
        return _Authorization(grant, secrets.token_urlsafe(22), secrets.token_urlsafe(22), self.now_s() + ACCESS_SECONDS)

    @staticmethod
    def _answer(made: _Authorization) -> dict[str, object]:
        return {
            "token_type": "Bearer",
            "access_token": made.access,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": made.refresh,
            "scope": " ".join(sorted(made.grant.scopes)),
        }


def s256(verifier: str) -> str:
    """The challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
