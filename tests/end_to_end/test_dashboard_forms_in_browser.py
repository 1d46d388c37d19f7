"""Forms of settings in a browser against the real service: bad input is said beside its field and changes nothing."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from simulator.demo_ids import demo_channel_id
from tests.end_to_end.forms_in_browser import Form, a_new_page, look, press, says
from tests.end_to_end.lived_in_dashboard import House, Visitor
from tests.end_to_end.processes import api_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

REGULAR, ORGANISER = str(demo_channel_id(0, 41)), str(demo_channel_id(0, 40))  # roles


async def opened(admin: Visitor, path: str, name: str) -> Form:
    """The form of a page that has a field."""
    assert await admin.open(admin.house.guild(path)) == 200
    return Form(admin.page, path, has=f"[name={name}]:not([type=hidden])")


@pytest.mark.parametrize(
    "case",
    [
        ("/settings/fairness", "min_session_seconds", "a bit", "90"),
        ("/settings/fairness", "bridge_gap_seconds", "999999", "60"),
        ("/settings/periods", "timezone", "Mars/Olympus", "Europe/Lisbon"),
        ("/settings/general", "timezone", "Berlin", "Europe/Berlin"),
        ("/webhooks", "url", "http://192.168.1.7/hook", "https://hooks.example.org/rollcall"),
    ],
    ids=lambda case: f"{case[0]} {case[1]}",
)
async def test_a_setting_is_refused_in_words_and_then_kept(admin: Visitor, case: tuple[str, str, str, str]) -> None:
    path, name, bad, good = case
    form = await opened(admin, path, name)
    before = await form.field(name).input_value()
    await form.send(**{name: bad})
    await form.is_refused(name, typed=bad)
    assert await look(admin, f"{path.rpartition('/')[2]}-{name.replace('_', '-')}-refused") == []
    form = await opened(admin, path, name)
    await expect(form.field(name)).to_have_value(before)  # nothing was changed
    await form.send(**{name: good})
    await expect(admin.page.get_by_role("status").first).to_be_visible()
    form = await opened(admin, path, name)
    await expect(form.field(name)).to_have_value(good)


async def test_a_log_destination_needs_a_channel_that_is_there(admin: Visitor) -> None:
    form, page = await opened(admin, "/logs", "channel"), admin.page
    await page.get_by_text("It is not in the list").click()
    rows = page.locator("main .card, main tbody tr")
    before = await rows.count()
    await form.node.locator("[name=types]").first.check()
    await form.send(channel="no-such-channel-anywhere")
    await form.is_refused("channel", typed="no-such-channel-anywhere")
    assert await look(admin, "logs-refused") == []
    form = await opened(admin, "/logs", "picked")
    await expect(rows).to_have_count(before)
    await form.field("picked").select_option(label="#attendance")
    await press(page, "Tell this channel")
    await expect(page.get_by_role("heading", name="attendance", exact=True)).to_be_visible()
    await expect(page.locator("[name=picked] option", has_text="attendance")).to_have_count(0)  # it is told now


async def test_an_api_token_needs_a_name_and_is_shown_once(admin: Visitor) -> None:
    form, page = await opened(admin, "/tokens", "name"), admin.page
    await form.node.locator("[name=scopes]").first.check()
    await form.send(name="   ")
    await form.is_refused("name", typed="")
    await expect(form.node.locator("[name=scopes]").first).to_be_checked()
    assert await look(admin, "token-refused") == []
    await form.send(name="Weekly report")
    secret = page.locator("#new-token")
    await expect(secret).to_be_visible()
    shown = await secret.evaluate("node => node.value ?? node.textContent")
    assert len(shown.strip()) > 20
    await opened(admin, "/tokens", "name")
    await expect(page.get_by_role("main")).to_contain_text("Weekly report")
    assert shown.strip() not in await page.content()


async def test_sessions_are_kept_for_days_that_can_be_and_the_refused_step_stays_open(admin: Visitor) -> None:
    form, page = await opened(admin, "/settings/general", "retention_days"), admin.page
    await page.locator("details.confirm summary").click()
    await expect(form.field("retention_days")).to_be_focused()
    for bad in ("3", "soon"):
        await form.send(retention_days=bad)
        assert "from 14 to 3650" in await form.is_refused("retention_days", typed=bad)
    assert await look(admin, "retention-refused") == []
    await expect(page.get_by_text("Everything is kept.")).to_be_visible()
    for good, told in (("3650", re.compile(r"kept for \W?3,650\W? days")), ("", "Everything is kept.")):
        await page.goto(admin.house.guild("/settings/general"))
        await page.locator("details.confirm summary").click()
        await form.send(retention_days=good)
        await says(page, "Saved")
        await expect(page.get_by_text(told)).to_be_visible()


async def test_the_tier_is_set_until_a_day_to_come(admin: Visitor) -> None:
    form, page = await opened(admin, "/subscription", "renews_at"), admin.page
    await form.node.get_by_role("radio", name="Pro").check()
    await form.send(renews_at="2020-01-31")
    await form.is_refused("renews_at", typed="2020-01-31")
    await expect(form.node.get_by_role("radio", name="Pro")).to_be_checked()
    assert await look(admin, "subscription-refused") == []
    await form.send(renews_at="2099-01-31")
    await says(page, "Saved")
    await expect(form.field("renews_at")).to_have_value("2099-01-31")
    assert await look(admin, "subscription-saved") == []


async def test_channels_are_picked_and_one_that_went_away_meanwhile_is_said(admin: Visitor, house: House) -> None:
    page, guild_id = admin.page, house.data.guild_id
    made = await house.control("world", edit="create_channel", guild_id=str(guild_id), name="For a while")
    for_a_while = str(made["result"])
    assert house.service is not None
    async with api_of(house.service, guild_id, house.data.admin_id) as api:
        await api.until("/channels?limit=200", lambda body: for_a_while in str(body))
        form = await opened(admin, "/settings", "mode")
        await form.node.get_by_role("radio", name="Only the list").check()
        await form.node.get_by_role("searchbox").fill("stud")
        await expect(form.node.get_by_role("checkbox", name="Lounge")).to_be_hidden()
        await form.node.get_by_role("checkbox", name="Study category").check()
        await form.node.get_by_role("searchbox").fill("")
        await form.node.locator(f"[name=channels][value='{for_a_while}']").check()
        async with a_new_page(page):
            await form.node.locator("[name=do][value=preview]").click()
        await expect(page.locator("#preview").get_by_role("heading").first).to_be_in_viewport()
        assert await look(admin, "tracking-preview") == []
        await house.control("world", edit="delete_channel", channel_id=for_a_while)
        await api.until("/channels?limit=200", lambda body: for_a_while not in str(body))
        await form.send()
        await form.group_is_refused("channels")
        await expect(form.node.locator("[name=channels]").first).to_have_value(for_a_while)
    await expect(form.node.get_by_role("radio", name="Only the list")).to_be_checked()
    await expect(form.node.get_by_role("checkbox", name="Study category")).to_be_checked()
    assert await look(admin, "tracking-refused") == []
    await form.node.locator(f"[name=channels][value='{for_a_while}']").uncheck()
    await form.send()
    await says(page, "Saved. It holds from now on.")
    await opened(admin, "/settings", "mode")
    await expect(form.node.get_by_role("radio", name="Only the list")).to_be_checked()
    await expect(form.node.get_by_role("checkbox", name="Study category")).to_be_checked()
    await form.node.get_by_role("radio", name="Every channel").check()
    await form.send()
    await says(page, "Saved. It holds from now on.")


async def test_a_rule_of_roles_is_made_tried_dry_changed_and_removed(admin: Visitor) -> None:
    form, page = await opened(admin, "/roles", "role_id"), admin.page
    await form.field("role_id").select_option(REGULAR)
    await form.field("remove_below").check()
    await form.send(hours="a few", minutes="")
    await form.is_refused("hours", typed="a few")
    await expect(form.field("role_id")).to_have_value(REGULAR)
    await expect(form.field("remove_below")).to_be_checked()
    assert await look(admin, "rule-refused") == []
    await form.send(hours="99999")
    assert "87600" in (await form.is_refused("hours", typed="99999")).replace(",", "")
    await form.field("role_id").select_option(ORGANISER)
    await form.send(hours="1")
    assert "moderator" in await form.is_refused("role_id", typed=ORGANISER)
    await expect(form.field("hours")).to_have_value("1")
    await form.field("role_id").select_option(REGULAR)
    await form.send()
    await says(page, "The rule is made")
    rule = page.url
    await press(page, "Whom would it change?")
    await expect(page.get_by_text("Would get it")).to_be_visible()
    assert await look(admin, "rule-dry-run") == []
    await press(page, "Back to the rule")
    change = Form(page, "/roles/", has="[name=hours]")
    await change.send(hours="0", minutes="0")
    await change.is_refused("hours", typed="0")
    await change.send(hours="2")
    await says(page, "Saved")
    assert await look(admin, "rule-changed") == []
    await page.get_by_text("Remove the rule…").click()
    await Form(page, "/remove").send()
    await says(page, "The rule is removed")
    assert await admin.open(rule) == 404
    assert all(re.search("404", one) for one in admin.wrongs)
    admin.wrongs.clear()
