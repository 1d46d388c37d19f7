"""The page of the viewer's own account, and deleting it."""

from __future__ import annotations

from dashboard.domain.roles import SUPER_ADMIN
from dashboard.store.accounts import SqlAccountStore
from tests.accounts_world import give
from tests.dashboard_world import MEMBER, come_back, dashboard_world, form_token
from tests.fixtures_dashboard import serve


async def confirmed(dashboard):
    browser = await dashboard.signed_in()
    answer = await come_back(browser, await browser.get("/auth/confirm", params={"return_url": "/account/delete"}))
    assert answer.headers["location"] == "/account/delete"
    return browser


async def test_the_bar_leads_to_what_is_known_of_the_viewer(dashboard):
    browser = await dashboard.signed_in()
    assert 'href="/account"' in (await browser.get("/")).text
    page = await browser.get("/account")
    assert page.status_code == 200
    assert all(words in page.text for words in ("y u m e", f"user{MEMBER}", str(MEMBER), "First sign-in"))
    assert (await dashboard.browser().get("/account")).status_code == 401


async def test_deleting_it_asks_discord_again_and_a_form(dashboard, sqlite_accounts_database):
    store = SqlAccountStore(sqlite_accounts_database)
    browser = await confirmed(dashboard)
    token = form_token(await browser.get("/account/delete"))
    assert (await browser.post("/account/delete")).status_code == 403  # no token
    dashboard.clock.advance(11 * 60_000)
    for ask in (await browser.get("/account/delete"), await browser.post("/account/delete", data={"_csrf_token": token})):
        assert ask.status_code == 303
        assert ask.headers["location"].startswith("/auth/confirm?")
    assert await store.user(MEMBER) is not None


async def test_it_is_gone_at_once_in_every_browser_and_no_server_is_asked_anything(dashboard, sqlite_accounts_database):
    other = await dashboard.signed_in()
    browser = await confirmed(dashboard)
    page = await browser.get("/account/delete")
    assert all(words in page.text for words in ("What goes", "What stays", "Delete my account now"))
    sent = await browser.post("/account/delete", data={"_csrf_token": form_token(page)})
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    assert "Your account on this dashboard is deleted" in (await browser.get("/")).text
    for gone in (browser, other):
        assert (await gone.get("/auth/me")).json() == {"authenticated": False}
    assert await SqlAccountStore(sqlite_accounts_database).user(MEMBER) is None
    assert len(dashboard.discord.revoked) >= 2
    assert not [path for method, path, _, _ in dashboard.api.requests if method != "GET"]


async def test_the_last_super_admin_stays(sqlite_accounts_database):
    store = SqlAccountStore(sqlite_accounts_database)
    async with dashboard_world(sqlite_accounts_database, serve, admin_user_ids=frozenset()) as world:
        browser = await confirmed(world)
        await give(store, MEMBER, SUPER_ADMIN)
        assert "<bdi>Super admin</bdi>" in (await browser.get("/account")).text
        token = form_token(await browser.get("/account/delete"))
        refused = await browser.post("/account/delete", data={"_csrf_token": token})
        assert refused.status_code == 409
        assert "last super admin" in refused.text
        assert await store.user(MEMBER) is not None
