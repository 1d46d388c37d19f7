"""``/oauth2/authorize``: the page on which a person lets an application see who they are. Here they first choose who they are.

Discord's page is a program of its own and asks Discord's login; this one is a form. What it takes and where it leads is the
same: a wrong client or redirect never leads anywhere, other mistakes lead back with ``error``.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from simulator.demo_ids import DEMO_ADMIN_ID
from simulator.oauth import SCOPES, Grant, OAuthDesk
from simulator.world import World

AUTHORIZE_PATH = "/oauth2/authorize"
_COOKIE = "simulated_discord_user"
_MOST_OFFERED = 12
_CARRIED = ("response_type", "client_id", "scope", "state", "redirect_uri", "prompt", "code_challenge", "code_challenge_method")


class AuthorizePage:
    """The page, and what its buttons do."""

    def __init__(self, world: World, desk: OAuthDesk) -> None:
        self._world = world
        self._desk = desk

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application."""
        app.router.add_get(AUTHORIZE_PATH, self.show)
        app.router.add_post(AUTHORIZE_PATH, self.decide)

    async def show(self, request: web.Request) -> web.Response:
        """The form; with ``prompt=none``, at once back for who has let the application see as much before."""
        asked = {name: request.query[name] for name in _CARRIED if name in request.query}
        refused = self._refusal(asked)
        if refused is not None:
            return refused
        scopes = frozenset(asked["scope"].split())
        before = request.cookies.get(_COOKIE, "")
        user_id = int(before) if before.isascii() and before.isdigit() else 0
        if asked.get("prompt") == "none" and user_id in self._world.users:
            grant = Grant(user_id, scopes)
            if self._desk.has_consented(grant):
                return self._back(asked, code=self._code(asked, grant))
        return web.Response(text=self._form(asked, user_id), content_type="text/html")

    async def decide(self, request: web.Request) -> web.Response:
        """Authorize, or cancel."""
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        refused = self._refusal(form)
        if refused is not None:
            return refused
        if form.get("decision") != "authorize":
            words = "The resource owner or authorization server denied the request"
            return self._back(form, error="access_denied", error_description=words)
        chosen = form.get("other") or form.get("user_id", "")
        user = self._world.users.get(int(chosen)) if chosen.isascii() and chosen.isdigit() else None
        if user is None or user.bot:
            return _failed("There is no such person.")
        code = self._code(form, Grant(user.id, frozenset(form["scope"].split())))
        answer = self._back(form, code=code)
        answer.set_cookie(_COOKIE, str(user.id), path=AUTHORIZE_PATH, httponly=True, samesite="Lax")
        return answer

    def _refusal(self, asked: Mapping[str, str]) -> web.Response | None:
        if asked.get("client_id") != self._desk.application.client_id:
            return _failed("Unknown application.")
        if asked.get("redirect_uri") not in self._desk.redirect_uris:
            return _failed("Invalid OAuth2 redirect_uri.")
        if asked.get("response_type") != "code":
            return self._back(asked, error="unsupported_response_type")
        scopes = frozenset(asked.get("scope", "").split())
        if not scopes or scopes - SCOPES:
            return self._back(asked, error="invalid_scope", error_description="The requested scope is invalid or unknown.")
        if "code_challenge" in asked and asked.get("code_challenge_method") != "S256":
            return self._back(asked, error="invalid_request", error_description="Unsupported code_challenge_method.")
        return None

    def _code(self, asked: Mapping[str, str], grant: Grant) -> str:
        return self._desk.issue_code(grant, asked["redirect_uri"], asked.get("code_challenge"))

    def _back(self, asked: Mapping[str, str], **answer: str) -> web.Response:
        query = urlencode(answer | ({"state": asked["state"]} if "state" in asked else {}))
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}{joint}{query}"})

    def _people(self) -> list[tuple[int, str]]:
        """The demo's admin, owners, and the first members."""
        offered = {DEMO_ADMIN_ID: "Manage Server everywhere"} if DEMO_ADMIN_ID in self._world.users else {}
        for guild in self._world.guilds.values():
            offered.setdefault(guild.owner_id, f"owner of {guild.name}")
        for guild in self._world.guilds.values():
            for user_id, member in guild.members.items():
                if not member.user.bot and len(offered) < _MOST_OFFERED:
                    offered.setdefault(user_id, f"member of {guild.name}")
        return [(user_id, f"{self._world.users[user_id].name} ({role})") for user_id, role in offered.items()]

    def _form(self, asked: Mapping[str, str], before: int) -> str:
        carried = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in asked.items())
        options = "".join(
            f'<option value="{user_id}"{" selected" if user_id == before else ""}>{escape(words)}</option>'
            for user_id, words in self._people()
        )
        scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked["scope"].split())
        name = escape(self._desk.application.name)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Simulated Discord</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
            "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}"
            "select,input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin:.25rem 0}"
            "</style></head><body><main><h1>Simulated Discord</h1>"
            f"<p><strong>{name}</strong> wants to see:</p><ul>{scopes}</ul>"
            f'<form method="post" action="{AUTHORIZE_PATH}">{carried}'
            f'<label>You are <select name="user_id">{options}</select></label>'
            '<label>or somebody else, by id <input name="other" inputmode="numeric" autocomplete="off"></label>'
            '<button name="decision" value="authorize">Authorize</button>'
            '<button name="decision" value="cancel">Cancel</button></form></main></body></html>'
        )


def _failed(words: str) -> web.Response:
    """A page that leads nowhere: who asks may not be whom they say."""
    text = f'<!doctype html><html lang="en"><title>Simulated Discord</title><p role="alert">{escape(words)}</p></html>'
    return web.Response(text=text, content_type="text/html", status=400)
