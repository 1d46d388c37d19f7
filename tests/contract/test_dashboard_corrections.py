"""The page of a session, and correcting it from there."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from attendance.ids import uuid7
from tests.dashboard_world import GUILD, MEMBER, form_token

OTHER = "81384788765712390"
SESSION = "01972f3c-7c00-7000-8000-0123456789ab"
AT = "2026-11-28T18:00:00.000Z"
PAGE = f"/guilds/{GUILD}/members/{OTHER}/sessions/{SESSION}"
ASKED = {
    "session_id": SESSION,
    "user_id": OTHER,
    "display_name": "Ada <script>x",
    "channel_id": "50",
    "channel_name": "Lounge <b>",
    "joined_at": AT,
    "left_at": "2026-11-28T19:00:00.000Z",
    "seconds": 3_000,
    "reason": "leave",
    "state": "signed",
    "below_minimum": False,
    "corrected_seconds": 600,
}
MADE = {
    "correction_id": "01972f3c-7c00-7000-8000-0123456789ff",
    "session_id": SESSION,
    "channel_id": "50",
    "period_index": 4,
    "at": "2026-11-28T19:00:00.000Z",
    "delta_seconds": 600,
    "note": "was there <i>",
    "actor_id": str(MEMBER),
    "actor_name": "Grace <u>",
    "created_at": "2026-11-28T20:00:00.000Z",
    "after_archive": True,
}


def may(world, rights: list[str]) -> None:
    world.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "Europe/Berlin", "rights": rights})


@pytest.fixture
def world(dashboard):
    may(dashboard, ["correct", "read", "write"])
    dashboard.api.answers["GET /sessions"] = (200, {"items": [ASKED], "total": 1})
    dashboard.api.answers["GET /corrections"] = (200, {"items": [MADE, MADE | {"session_id": "another"}], "total": 2})
    dashboard.api.answers["POST /corrections"] = (201, {})
    return dashboard


def sent(world) -> list[tuple[dict, str]]:
    return [
        (body, headers["idempotency-key"])
        for (method, _, _, body), headers in zip(world.api.requests, world.api.headers, strict=True)
        if method == "POST"
    ]


async def test_an_address_that_lost_its_instant_finds_the_session_by_when_its_id_was_made(world):
    session_id = str(uuid7(1_795_978_800_000, bytes(10)))
    world.api.answers["GET /sessions"] = (200, {"items": [ASKED | {"session_id": session_id}], "total": 1})
    browser = await world.signed_in()
    page = await browser.get(PAGE.replace(SESSION, session_id))
    assert page.status_code == 200
    assert "0:50:00" in page.text
    asked = next(parse_qs(urlsplit(path).query) for _, path, _, _ in world.api.requests if "/sessions" in path)
    assert (asked["from"], asked["to"]) == (["2026-11-29T18:59:59.999Z"], ["2026-11-29T19:00:00.001Z"])
    for wrong in ("none", "ffffffff-ffff-7fff-8000-000000000000"):
        assert (await browser.get(PAGE.replace(SESSION, wrong))).status_code == 404


async def test_a_session_shows_what_was_recorded_and_its_corrections_beside_it(world):
    page = await (await world.signed_in()).get(PAGE, params={"at": AT})
    assert page.status_code == 200
    assert not any(markup in page.text for markup in ("<script>x", "Lounge <b>", "there <i>", "Grace <u>"))
    assert all(words in page.text for words in ("0:50:00", "1:00:00", "+0:10:00", "never changed", "archive"))
    assert page.text.count("was there") == 1
    assert f'/members/{MEMBER}"><bdi>Grace &lt;u&gt;</bdi>' in page.text
    asked = next(parse_qs(urlsplit(path).query) for _, path, _, _ in world.api.requests if "/sessions" in path)
    assert asked == {"user_id": [OTHER], "from": [AT], "to": ["2026-11-28T18:00:00.001Z"]}


async def test_a_correction_has_a_sign_and_a_note_and_the_same_form_sent_twice_is_one(world):
    browser = await world.signed_in()
    page = await browser.get(PAGE, params={"at": AT})
    typed = {"_csrf_token": form_token(page), "shown": "1", "direction": "take", "minutes": " 5 ", "note": " muted "}
    for _ in range(2):
        answer = await browser.post(PAGE, params={"at": AT}, data=typed)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{PAGE}?at=2026-11-28T18%3A00%3A00.000Z"
    (body, key), again = sent(world)
    assert body == {"session_id": SESSION, "delta_seconds": -300, "note": "muted"}
    assert again == (body, key)
    await browser.post(PAGE, params={"at": AT}, data=typed | {"shown": "2"})
    assert sent(world)[-1][1] != key
    await browser.post(PAGE, params={"at": AT}, data=typed | {"direction": "add"})
    assert sent(world)[-1][0]["delta_seconds"] == 300


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"minutes": "0"}, "Whole minutes"),
        ({"minutes": "-5"}, "Whole minutes"),
        ({"minutes": "1.5"}, "Whole minutes"),
        ({"minutes": "\uff15"}, "Whole minutes"),
        ({"minutes": "99999"}, "Whole minutes"),
        ({"note": "  "}, "Say why"),
        ({"direction": "<b>"}, "Choose whether"),
    ],
)
async def test_what_cannot_be_a_correction_comes_back_as_it_was_typed(world, wrong, words):
    browser = await world.signed_in()
    typed = {
        "_csrf_token": form_token(await browser.get(PAGE, params={"at": AT})),
        "direction": "add",
        "minutes": "5",
        "note": "n&n",
    }
    page = await browser.post(PAGE, params={"at": AT}, data=typed | wrong)
    assert page.status_code == 422
    assert page.text.count(words) >= 2
    assert not sent(world)


@pytest.mark.parametrize("status", [409, 422])
async def test_what_the_api_refuses_stands_beside_its_field(world, status):
    refused = {"error": "refused <x>", "details": {"delta_seconds": "beyond the session <x>"} if status == 422 else {}}
    world.api.answers["POST /corrections"] = (status, refused)
    browser = await world.signed_in()
    token = form_token(await browser.get(PAGE, params={"at": AT}))
    page = await browser.post(
        PAGE, params={"at": AT}, data={"_csrf_token": token, "direction": "add", "minutes": "500", "note": "kept & shown"}
    )
    assert page.status_code == status
    assert ("at most 0 whole minutes can be added, and 60 taken" if status == 422 else "refused &lt;x&gt;") in page.text
    assert "kept &amp; shown" in page.text


async def test_a_session_that_waits_for_its_signature_says_so_before_anybody_types(world):
    world.api.answers["GET /sessions"] = (200, {"items": [ASKED | {"state": "pending"}], "total": 1})
    page = await (await world.signed_in()).get(PAGE, params={"at": AT})
    assert "waits for its signature. A correction names the record" in page.text


async def test_who_may_only_read_sees_no_form_and_who_may_not_read_sees_nothing(world):
    may(world, ["read"])
    browser = await world.signed_in()
    page = await browser.get(PAGE, params={"at": AT})
    assert (page.status_code, 'name="minutes"' in page.text) == (200, False)
    answer = await browser.post(PAGE, params={"at": AT}, data={"_csrf_token": form_token(page), "minutes": "5"})
    assert answer.status_code == 403
    may(world, [])
    world.clock.advance(60_000)
    own = f"/guilds/{GUILD}/members/{MEMBER}/sessions/{SESSION}"
    assert {(await browser.get(path, params={"at": AT})).status_code for path in (PAGE, own)} == {403}
    assert not sent(world)


@pytest.mark.parametrize("at", ["", "yesterday", "2026-11-28", "2026-11-28T18:00:00", "9999-12-31T23:59:59.999Z"])
async def test_an_instant_that_is_none_leads_to_no_session(world, at):
    world.api.answers["GET /sessions"] = (200, {"items": [], "total": 0})
    assert (await (await world.signed_in()).get(PAGE, params={"at": at})).status_code == 404
