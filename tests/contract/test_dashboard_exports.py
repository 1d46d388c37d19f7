"""The pages of period exports: made at the first request, fetched in one go or in parts."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from dashboard.pages import exports
from tests.contract.test_dashboard_signing import PERIOD
from tests.dashboard_world import GUILD

EXPORTS = f"/guilds/{GUILD}/exports"
ARCHIVE = b"0123456789" * 30
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()
ETAG = f'"{SHA256}"'


class Archives:
    """The API's route, as api/routes/exports.py answers: silent for as long as the archive is being made."""

    def __init__(self, api):
        self.api, self.made, self.asked = api, asyncio.Event(), []
        self.refusal = None

    async def answer(self, request):
        self.asked.append({name: request.headers.get(name) for name in ("Range", "If-Range")})
        if self.refusal is not None:
            status, words = self.refusal
            return web.json_response({"error": words}, status=status)
        await self.made.wait()
        headers = {"ETag": ETAG, "Accept-Ranges": "bytes", "Content-Type": "application/gzip"}
        headers["Content-Disposition"] = f'attachment; filename="rollcall-{GUILD}-4.tar.gz"'
        asked = request.headers.get("Range")
        if asked is None or request.headers.get("If-Range", ETAG) != ETAG:
            return web.Response(body=ARCHIVE, headers=headers)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        if int(first) >= len(ARCHIVE):
            return web.Response(status=416)
        part = ARCHIVE[int(first) : int(last) + 1 if last else None]
        headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(ARCHIVE)}"
        return web.Response(status=206, body=part, headers=headers)


@pytest.fixture
def exporting(dashboard):
    """The dashboard, and the archives of its API; nobody waits long."""
    archives = Archives(dashboard.api)
    dashboard.api.routes["GET /export/period/4"] = archives.answer
    dashboard.api.answers["GET /signing/history"] = (200, {"items": [PERIOD, {**PERIOD, "period_index": 3}], "total": 2})
    dashboard.api.answers["GET /subscription"] = (200, {"tier": "pro", "features": {"exports": True}, "renews_at": None})
    return dashboard, archives


@asynccontextmanager
async def being_made(archives, monkeypatch):
    """For as long as the block lasts the archive is not there yet."""
    monkeypatch.setattr(exports, "PATIENCE_SECONDS", 0.05)
    yield
    archives.made.set()


async def test_archived_periods_are_listed_with_where_to_fetch_and_check_them(exporting):
    dashboard, _ = exporting
    page = await (await dashboard.signed_in()).get(EXPORTS)
    assert page.status_code == 200
    assert f'href="{EXPORTS}/4/download"' in page.text
    assert "rollcall verify" in page.text
    assert "https://api.rollcall.example/verify" in page.text


async def test_a_period_without_signature_offers_no_file(exporting):
    dashboard, _ = exporting
    pending = {**PERIOD, "state": "pending", "kid": None, "entry_count": None}
    dashboard.api.answers["GET /signing/history"] = (200, {"items": [pending], "total": 1})
    page = await (await dashboard.signed_in()).get(EXPORTS)
    assert "waits for its signature" in page.text
    assert f"{EXPORTS}/4" not in page.text


async def test_without_pro_the_way_to_it_is_shown(exporting):
    dashboard, archives = exporting
    dashboard.api.answers["GET /subscription"] = (200, {"tier": "free", "features": {"exports": False}, "renews_at": None})
    browser = await dashboard.signed_in()
    for where in (EXPORTS, f"{EXPORTS}/4"):
        page = await browser.get(where)
        assert page.status_code == 200
        assert "need Pro" in page.text
        assert f"/guilds/{GUILD}/subscription" in page.text
        assert "/4/download" not in page.text
    assert archives.asked == []
    archives.refusal = (403, "using exports needs Pro")
    refused = await browser.get(f"{EXPORTS}/4/download")
    assert (refused.status_code, "using exports needs Pro" in refused.text) == (403, True)


async def test_who_may_only_read_is_offered_no_file(exporting):
    dashboard, archives = exporting
    dashboard.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": ["read"]})
    browser = await dashboard.signed_in()
    assert "/4/download" not in (await browser.get(EXPORTS)).text
    assert (await browser.get(f"{EXPORTS}/4")).status_code == 403
    assert archives.asked == []


async def test_a_file_comes_whole_with_its_name_and_its_tag(exporting):
    dashboard, archives = exporting
    archives.made.set()
    answer = await (await dashboard.signed_in()).get(f"{EXPORTS}/4/download")
    assert (answer.status_code, answer.content) == (200, ARCHIVE)
    assert answer.headers["etag"] == ETAG
    assert answer.headers["content-disposition"] == f'attachment; filename="rollcall-{GUILD}-4.tar.gz"'
    assert answer.headers["accept-ranges"] == "bytes"


async def test_a_broken_download_goes_on_where_it_was(exporting):
    dashboard, archives = exporting
    archives.made.set()
    browser = await dashboard.signed_in()
    rest = await browser.get(f"{EXPORTS}/4/download", headers={"Range": "bytes=100-", "If-Range": ETAG})
    assert (rest.status_code, rest.content) == (206, ARCHIVE[100:])
    assert rest.headers["content-range"] == f"bytes 100-299/{len(ARCHIVE)}"
    assert archives.asked[-1] == {"Range": "bytes=100-", "If-Range": ETAG}
    anew = await browser.get(f"{EXPORTS}/4/download", headers={"Range": "bytes=100-", "If-Range": '"another"'})
    assert (anew.status_code, anew.content) == (200, ARCHIVE)
    behind = await browser.get(f"{EXPORTS}/4/download", headers={"Range": "bytes=999-", "If-Range": ETAG})
    assert behind.status_code == 416


async def test_what_is_still_being_made_is_said_and_looked_at_again(exporting, monkeypatch):
    dashboard, archives = exporting
    browser = await dashboard.signed_in()
    async with being_made(archives, monkeypatch):
        answer = await browser.get(f"{EXPORTS}/4/download")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{EXPORTS}/4")
        page = await browser.get(f"{EXPORTS}/4")
        assert page.status_code == 200
        assert "being prepared" in page.text
        assert f'hx-get="{EXPORTS}/4"' in page.text
        assert "/4/download" not in page.text
    monkeypatch.setattr(exports, "PATIENCE_SECONDS", 5.0)
    ready = await browser.get(f"{EXPORTS}/4")
    assert "data-start-download" not in ready.text
    assert "hx-get" not in ready.text
    assert SHA256 in ready.text
    assert f"{len(ARCHIVE)} bytes" in ready.text
    watched = await browser.get(f"{EXPORTS}/4", headers={"HX-Request": "true"})
    assert "data-start-download" in watched.text


@pytest.mark.parametrize(
    "words",
    [
        "the period is still running",
        "the period's record waits for a <signature>",
        "the period's record is not in the published log as it was signed",
    ],
)
async def test_why_there_is_no_file_is_said_in_words(exporting, words):
    dashboard, archives = exporting
    archives.refusal = (409, words)
    browser = await dashboard.signed_in()
    assert (await browser.get(f"{EXPORTS}/4/download")).headers["location"] == f"{EXPORTS}/4"
    page = await browser.get(f"{EXPORTS}/4")
    assert page.status_code == 200
    assert "<signature>" not in page.text
    assert words.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in page.text


@pytest.mark.parametrize("index", ["x", "-1", "01", "99999999999", "٣", "4%2F..%2F5"])
async def test_what_is_no_period_is_not_found(exporting, index):
    dashboard, archives = exporting
    browser = await dashboard.signed_in()
    assert (await browser.get(f"{EXPORTS}/{index}")).status_code == 404
    assert (await browser.get(f"{EXPORTS}/{index}/download")).status_code == 404
    assert archives.asked == []
