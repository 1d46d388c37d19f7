"""What the API answers for an overview: a server with two members in voice, a locked key and a time that nobody watched."""

from __future__ import annotations

from typing import Any

from tests.dashboard_world import GUILD, MEMBER

OVERVIEW: dict[str, Any] = {
    "guild_id": str(GUILD),
    "name": "Guild <one>",
    "tracking_mode": "All",
    "period": {"index": 3, "started_at": "2026-01-05T00:00:00.000Z", "ends_at": None},
    "occupancy": {"members": 2, "channels": 1},
    "signing": {"configured": True, "unlocked": False, "pending": 4},
    "totals": {"seconds": 7_380, "sessions": 5, "members": 3},
    "blind_seconds": 600,
    "tier": "pro",
}
ADA = {"user_id": str(MEMBER), "display_name": "Ada <b>", "joined_at": "2027-01-15T07:00:00.000Z", "status": "counted"}
GRACE = {"user_id": "7", "display_name": "Grace", "joined_at": "2027-01-15T07:55:00.000Z", "status": "muted"}
SESSION = {
    "session_id": "0190b9e7-5b1e-7c3a-8d2f-1a2b3c4d5e6f",
    "user_id": "7",
    "display_name": "Grace",
    "channel_id": "5",
    "channel_name": "Lobby",
    "left_at": "2027-01-15T07:50:00.000Z",
    "seconds": 1_800,
    "state": "signed",
}
BLIND = {
    "started_at": "2027-01-14T07:00:00.000Z",
    "ended_at": "2027-01-14T07:10:00.000Z",
    "seconds": 600,
    "cause": "restart",
    "ended_by": "snapshot",
}
SIGNING = {"configured": True, "unlocked": False, "pending": 4, "oldest_pending_at": "2027-01-15T07:20:00.000Z"}


def occupancy(*members: dict[str, str]) -> dict[str, Any]:
    """Everybody in one channel."""
    channels = [{"channel_id": "5", "name": "Lobby", "members": list(members)}] if members else []
    return {"as_of": "2027-01-15T08:00:00.000Z", "members": len(members), "channels": channels}


LINE = {"rank": 1, "user_id": "7", "display_name": "Grace", "seconds": 3_600, "live": True}
GLANCE: dict[str, tuple[int, Any]] = {
    "GET /overview": (200, OVERVIEW),
    "GET /analytics/live-occupancy": (200, occupancy(ADA, GRACE)),
    "GET /signing/status": (200, SIGNING),
    "GET /blind": (200, {"items": [BLIND], "total": 1}),
    "GET /leaderboard": (200, {"items": [LINE], "total": 1}),
    "GET /sessions": (200, {"items": [SESSION], "total": 1}),
    "GET /bot-present": (200, {"present": True, "missing_permissions": []}),
}
