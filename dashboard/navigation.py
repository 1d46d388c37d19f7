"""The pages of a guild, and which of them a viewer may open."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

Need = Literal["self", "read", "manage"]


@dataclass(frozen=True)
class Page:
    """A page in the navigation. ``key`` names it in ``guild.html`` and its words in ``text`` (``ui-nav-<key>``)."""

    key: str
    path: str
    need: Need


@dataclass(frozen=True)
class NavigationGroup:
    """Pages under one heading (``ui-nav-group-<key>``)."""

    key: str
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class NavigationLink:
    """A page that this viewer may open, with its address."""

    key: str
    href: str


# "self": every member, for themself. "read": Manage Server or a panel role. "manage": Manage Server or an operator.
GROUPS: tuple[NavigationGroup, ...] = (
    NavigationGroup(
        "now",
        (
            Page("overview", "", "read"),
            Page("leaderboard", "/leaderboard", "read"),
            Page("me", "/members/{viewer_id}", "self"),
            Page("analytics", "/analytics", "read"),
        ),
    ),
    NavigationGroup(
        "records",
        (
            Page("signing", "/signing", "read"),
            Page("exports", "/exports", "read"),
            Page("roles", "/roles", "read"),
            Page("audit", "/audit", "read"),
        ),
    ),
    NavigationGroup(
        "setup",
        (
            Page("settings", "/settings", "read"),
            Page("logs", "/logs", "read"),
            Page("webhooks", "/webhooks", "read"),
            Page("tokens", "/tokens", "manage"),
            Page("subscription", "/subscription", "read"),
            Page("privacy", "/privacy", "self"),
        ),
    ),
)


def guild_navigation(guild_id: int, viewer_id: int, may: AbstractSet[Need]) -> list[tuple[str, list[NavigationLink]]]:
    """Groups with the pages that a viewer with these rights may open; groups without any are left out.

    It only decides what is offered: the API refuses what is not allowed, whatever is linked.
    """
    groups = []
    for group in GROUPS:
        links = [
            NavigationLink(page.key, f"/guilds/{guild_id}{page.path.format(viewer_id=viewer_id)}")
            for page in group.pages
            if page.need in may
        ]
        if links:
            groups.append((group.key, links))
    return groups
