"""The pages of the leaderboard and of a channel."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard_world import GUILD

BOARD = f"/guilds/{GUILD}/leaderboard"
LINE = {
    "rank": 1,
    "user_id": "81384788765712390",
    "display_name": "Ada </td><script>x</script>",
    "seconds": 11_220,
    "sessions": 3,
    "live": True,
    "corrected_seconds": -60,
}
ERASED = {**LINE, "rank": 2, "user_id": None, "display_name": None, "live": False, "corrected_seconds": 0}
PERIOD = {
    "period_index": 4,
    "started_at": "2026-11-15T23:00:00.000Z",
    "ended_at": "2026-11-22T23:00:00.000Z",
    "state": "signed",
    "entry_count": 2,
    "kid": "k",
}
CHANNEL = {
    "channel_id": "81384788765712399",
    "name": "Lounge & <b>",
    "seconds": 7200,
    "sessions": 2,
    "members": 2,
    "peak": 2,
    "by_member": [
        {"user_id": "81384788765712390", "display_name": "<i>Ada", "seconds": 5400, "sessions": 1, "live": True},
        {"user_id": "81384788765712391", "display_name": "Bo", "seconds": 1800, "sessions": 1, "live": False},
    ],
    "by_day": [{"date": "2026-11-27", "seconds": 3600}, {"date": "2026-11-28", "seconds": 3600}],
}


@pytest.fixture
def board(dashboard):
    dashboard.api.answers["GET /leaderboard"] = (200, {"items": [LINE, ERASED], "total": 120})
    dashboard.api.answers["GET /signing/history"] = (200, {"items": [PERIOD], "total": 1})
    return dashboard


async def test_members_are_listed_with_their_time_and_nothing_of_their_names_is_markup(board):
    page = await (await board.signed_in()).get(BOARD)
    assert page.status_code == 200
    assert "<script>x" not in page.text
    assert all(words in page.text for words in ("120 members", "Erased member", "in voice", f"{BOARD}?offset=50"))
    assert "3\N{NO-BREAK SPACE}h" in page.text


async def test_an_archived_period_and_a_search_are_asked_of_the_api(board):
    page = await (await board.signed_in()).get(BOARD, params={"period": "4", "search": " ada ", "offset": "50"})
    asked = next(parse_qs(urlsplit(path).query) for _, path, _, _ in board.api.requests if "/leaderboard" in path)
    assert asked == {"period_index": ["4"], "search": ["ada"], "limit": ["50"], "offset": ["50"]}
    assert f"/verify/period/{GUILD}/4" in page.text


async def test_without_a_right_to_read_there_is_no_leaderboard(board):
    board.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": []})
    answer = await (await board.signed_in()).get(BOARD)
    assert answer.status_code == 403
    assert not [path for _, path, _, _ in board.api.requests if "leaderboard" in path]


async def test_the_table_is_passed_on_as_a_download(board):
    board.api.answers["GET /leaderboard"] = (200, "rank,user_id")
    answer = await (await board.signed_in()).get(f"{BOARD}.csv", params={"period": "4"})
    assert (answer.status_code, answer.text) == (200, '"rank,user_id"')
    assert "no-store" in answer.headers["cache-control"]


async def test_a_download_that_is_refused_is_a_page_that_says_why(board):
    board.api.answers["GET /leaderboard"] = (404, {"error": "there is no such period"})
    answer = await (await board.signed_in()).get(f"{BOARD}.csv", params={"period": "999"})
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


async def test_a_channel_shows_who_was_there(dashboard):
    dashboard.api.answers["GET /channel-stats"] = (200, CHANNEL)
    page = await (await dashboard.signed_in()).get(f"/guilds/{GUILD}/channels/81384788765712399")
    assert page.status_code == 200
    assert "<b>" not in page.text
    assert "<i>Ada" not in page.text
    asked = next(parse_qs(urlsplit(path).query) for _, path, _, _ in dashboard.api.requests if "/channel-stats" in path)
    assert asked == {"channel_id": ["81384788765712399"], "limit": ["200"]}  # no more than the table has
    assert all(words in page.text for words in ("Sat 28 Nov 2026", "Most at once", "/members/81384788765712391"))


async def test_an_empty_channel_says_so(dashboard):
    empty = {**CHANNEL, "seconds": 0, "sessions": 0, "members": 0, "peak": 0, "by_member": [], "by_day": []}
    dashboard.api.answers["GET /channel-stats"] = (200, empty)
    page = await (await dashboard.signed_in()).get(f"/guilds/{GUILD}/channels/81384788765712399")
    assert "Nobody was here" in page.text


async def test_a_channel_that_is_not_the_guilds_is_not_there(dashboard):
    answer = await (await dashboard.signed_in()).get(f"/guilds/{GUILD}/channels/..%2Faudit")
    assert answer.status_code == 404
