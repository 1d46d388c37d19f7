"""Headers of every answer (OWASP HTTP Headers Cheat Sheet)."""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from dashboard.requests import request_id
from dashboard.services import services_of

# Scripts, styles and everything else from the dashboard itself; icons of guilds and people from Discord's CDN. No inline script
# or style, no frame, no base, no plug-in. Forms go to the dashboard and, by a redirect, to Discord's page of consent.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https://cdn.discordapp.com; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'{consent}; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
_A_YEAR = "max-age=31536000; includeSubDomains"


def content_security_policy(consent_origin: str) -> str:
    """The policy; ``consent_origin`` is where Discord asks people for their consent."""
    return _POLICY.format(consent=f" {consent_origin}")


async def mark_response(message: Message, scope: Scope) -> None:
    """Before anything is sent."""
    if message["type"] != "http.response.start":
        return
    services = services_of(scope["litestar_app"])
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _ALWAYS.items():
        headers[name] = value
    headers["X-Request-Id"] = request_id(scope)
    headers["Content-Security-Policy"] = services.content_security_policy
    headers.setdefault("Cache-Control", "no-store")
    if services.settings.is_https:
        headers["Strict-Transport-Security"] = _A_YEAR
