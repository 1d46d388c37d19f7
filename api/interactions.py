"""Which of the API's services the slash commands work with: all of them, so that both say the same."""

from __future__ import annotations

from api.services import ApiServices
from attendance.discord.interactions.call import InteractionServices
from attendance.ports.opt_outs import OptOutSource
from attendance.services.opt_outs import OptOuts


def interaction_services(services: ApiServices, opt_outs: OptOutSource, public_url: str | None) -> InteractionServices:
    """The same services for `attendance.discord.interactions`.

    Args:
        services: the API's.
        opt_outs: who has opted out.
        public_url: where others reach this deployment, if anywhere.
    """
    return InteractionServices(
        clock=services.clock,
        access=services.access,
        directory=services.directory,
        overviews=services.overviews,
        leaderboards=services.leaderboards,
        statistics=services.statistics,
        explanations=services.explanations,
        lists=services.lists,
        settings=services.settings,
        channels=services.channels,
        keyring=services.keyring,
        verification=services.verification,
        receipts=services.receipts,
        opt_outs=OptOuts(opt_outs, services.settings.commands),
        erasures=services.erasures,
        preferences=services.preferences,
        public_url=public_url,
    )
