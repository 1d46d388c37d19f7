"""The REST calls with which interactions are answered and commands registered, as raw payloads.

They go through hikari's request (rate limits, retries, one session) but around its builders, which know no alt text. That is
one private method of hikari 2.7, which is pinned exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import hikari
import msgspec
from hikari.impl.rest import RESTClientImpl
from hikari.internal import data_binding, routes

from attendance.discord.failures import as_rollcall_error
from attendance.discord.interactions.answers import EPHEMERAL, Answer
from attendance.discord.interactions.payloads import Interaction
from attendance.errors import UnavailableError

_MESSAGE, _DEFERRED_MESSAGE, _DEFERRED_UPDATE, _CHOICES = 4, 5, 6, 8
_ALREADY_ANSWERED, _UNKNOWN = 40_060, frozenset({10_008, 10_015, 10_062, 50_027})


class InteractionExpiredError(Exception):
    """Discord waits for this answer no more."""


class InteractionRest:
    """Answers interactions and registers commands.

    Args:
        rest: a started client with the bot's token.
    """

    def __init__(self, rest: RESTClientImpl) -> None:
        self._rest = rest
        self._application_id = ""

    async def commands(self) -> list[dict[str, Any]]:
        """The global commands as Discord has them.

        Raises:
            UnavailableError: Discord is away or refuses.
        """
        route = routes.GET_APPLICATION_COMMANDS.compile(application=await self._application())
        return cast("list[dict[str, Any]]", await self._ask(route))

    async def put_commands(self, commands: Sequence[dict[str, Any]]) -> None:
        """Replace the global commands.

        Raises:
            UnavailableError: Discord is away or refuses.
        """
        await self._ask(routes.PUT_APPLICATION_COMMANDS.compile(application=await self._application()), json=list(commands))

    async def _application(self) -> str:
        """The bot's application: of an old bot it is not the bot's own id."""
        if not self._application_id:
            self._application_id = str((await self._ask(routes.GET_MY_APPLICATION.compile()))["id"])
        return self._application_id

    async def defer(self, interaction: Interaction, *, is_private: bool) -> None:
        """Promise a message. Within three seconds of the interaction, or Discord gives it up."""
        flags = EPHEMERAL if is_private else 0
        await self._call_back(interaction, {"type": _DEFERRED_MESSAGE, "data": {"flags": flags}})

    async def defer_update(self, interaction: Interaction) -> None:
        """Promise a change of the message whose button was pressed."""
        await self._call_back(interaction, {"type": _DEFERRED_UPDATE})

    async def answer_now(self, interaction: Interaction, answer: Answer) -> None:
        """Answer at once, to nobody but who asked."""
        await self._call_back(interaction, {"type": _MESSAGE, "data": answer.payload() | {"flags": EPHEMERAL}})

    async def answer_choices(self, interaction: Interaction, choices: Sequence[dict[str, Any]]) -> None:
        """Offer choices for the option that is being typed."""
        await self._call_back(interaction, {"type": _CHOICES, "data": {"choices": list(choices)}})

    async def edit(self, interaction: Interaction, answer: Answer) -> None:
        """Bring the message that was promised, or replace what the message shows."""
        route = routes.PATCH_INTERACTION_RESPONSE.compile(webhook=interaction.application_id, token=interaction.token)
        await self._send(route, answer.payload(), answer)

    async def answer_privately(self, interaction: Interaction, answer: Answer) -> None:
        """Take the public promise back and answer nobody but who asked."""
        webhook, token = interaction.application_id, interaction.token
        await self._ask(routes.DELETE_INTERACTION_RESPONSE.compile(webhook=webhook, token=token), is_public=True)
        route = routes.POST_WEBHOOK_WITH_TOKEN.compile(webhook=webhook, token=token)
        await self._send(route, answer.payload() | {"flags": EPHEMERAL}, answer)

    async def _call_back(self, interaction: Interaction, body: dict[str, Any]) -> None:
        route = routes.POST_INTERACTION_RESPONSE.compile(interaction=interaction.id, token=interaction.token)
        await self._ask(route, json=body, is_public=True)

    async def _send(self, route: routes.CompiledRoute, body: dict[str, Any], answer: Answer) -> None:
        if not answer.files:
            await self._ask(route, json=body, is_public=True)
            return
        form = data_binding.URLEncodedFormBuilder()
        form.add_field("payload_json", msgspec.json.encode(body), content_type="application/json")
        for index, file in enumerate(answer.files):
            resource = cast("hikari.files.Resource[Any]", hikari.Bytes(file.content, file.name))
            form.add_resource(f"files[{index}]", resource)
        await self._ask(route, form=form, is_public=True)

    async def _ask(
        self,
        route: routes.CompiledRoute,
        *,
        json: Any = None,
        form: data_binding.URLEncodedFormBuilder | None = None,
        is_public: bool = False,
    ) -> Any:
        """Ask, without the bot's token where the path has one of its own.

        Raises:
            InteractionExpiredError: see there.
            UnavailableError: Discord is away or refuses; the message says which.
        """
        auth = None if is_public else hikari.UNDEFINED
        try:
            return await self._rest._request(route, json=json, form_builder=form, auth=auth)  # noqa: SLF001 - see above
        except hikari.ClientHTTPResponseError as error:
            code = getattr(error, "code", 0)
            if code == _ALREADY_ANSWERED:
                return None  # our own answer, sent again after its receipt was lost
            if code in _UNKNOWN:
                raise InteractionExpiredError(f"Discord answered {code}") from error
            raise UnavailableError(f"Discord refuses an answer: {error.status} {code}") from error
        except (TimeoutError, LookupError, TypeError, ValueError, AttributeError, hikari.HikariError) as error:
            raise UnavailableError(as_rollcall_error(error).message) from error
