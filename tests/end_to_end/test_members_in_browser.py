"""What is done about a member in a browser: sessions corrected, data held and erased, accounts banned and given roles."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from simulator.demo_ids import demo_user_id
from tests.end_to_end.forms_in_browser import Form, a_new_page, look, press, says
from tests.end_to_end.lived_in_dashboard import House, Visitor, visitor

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

OWNER = demo_user_id(0, 0)  # of the server, and nobody in the deployment
# Each test has members of its own: they run in any order.
CORRECTED, LEAVING, ERASED, HIRED, BANNED = (demo_user_id(0, number) for number in (13, 14, 15, 16, 17))


async def test_a_session_is_corrected_within_its_length_and_with_a_reason(admin: Visitor, house: House) -> None:
    page = admin.page
    await page.goto(house.guild(f"/members/{CORRECTED}"))
    signed = page.get_by_role("row").filter(has=page.get_by_role("link", name="Receipt"))
    async with a_new_page(page):
        await signed.get_by_role("link", name="Correct…").first.click()
    form = Form(page, urlsplit(page.url).path)
    await form.node.get_by_role("radio", name="Take").check()
    await form.send(minutes="9000", note="Was not in the room")
    assert "can be added" in await form.is_refused("minutes", typed="9000")
    await expect(form.field("note")).to_have_value("Was not in the room")
    await expect(form.node.get_by_role("radio", name="Take")).to_be_checked()
    assert await look(admin, "correction-refused") == []
    await form.send(minutes="1", note="   ")
    await form.is_refused("note")
    await expect(form.field("minutes")).to_have_value("1")
    await expect(page.get_by_text("It was never corrected")).to_be_visible()
    await form.send(minutes="1", note="The <b>meeting</b> ended early")
    await says(page, "The correction is recorded")
    row = page.get_by_role("row").filter(has_text="The <b>meeting</b> ended early")
    await expect(row).to_contain_text("\u22120:01:00")
    assert await look(admin, "corrected") == []
    async with a_new_page(page):
        await page.locator("main a[href*='/timeline?day=']").first.click()
    sum_of_day = page.locator("#sum").get_by_role("row").filter(has_text="Corrected")
    await expect(sum_of_day).to_contain_text("\u22120:01:00")  # and the day's explanation adds up with it
    assert await look(admin, "explained-with-correction") == []
    await page.goto(house.guild(f"/members/{CORRECTED}"))
    await expect(page.locator("#corrections")).to_contain_text("The <b>meeting</b> ended early")


async def test_a_member_opts_out_and_in_again_and_has_their_data(chromium_browser: Browser, house: House) -> None:
    async with visitor(chromium_browser, house) as leaving:
        await leaving.sign_in(LEAVING)
        page = leaving.page
        await page.goto(house.guild("/privacy"))
        async with page.expect_download() as coming:
            await page.get_by_role("link", name="Download everything").click()
        data = json.loads((await (await coming.value).path()).read_text())
        assert data["user_id"] == str(LEAVING)
        assert data["sessions"]
        step = page.locator("#opt-out summary")
        await step.click()
        await page.get_by_role("button", name="Keep things as they are").click()
        await expect(step).to_be_focused()
        await expect(Form(page, "/privacy/opt-out").node).to_be_hidden()
        await step.click()
        assert await look(leaving, "opting-out") == []
        await Form(page, "/privacy/opt-out").send()
        await says(page, "You are opted out")
        assert await look(leaving, "opted-out") == []
        await Form(page, "/privacy/opt-in").send()
        await says(page, "Your time is counted again")
        await expect(step).to_be_visible()


async def test_a_member_has_their_data_erased_only_after_discord_was_asked_and_can_take_it_back(
    chromium_browser: Browser, house: House
) -> None:
    async with visitor(chromium_browser, house) as leaving:
        await leaving.sign_in(ERASED)
        page, erase = leaving.page, Form(leaving.page, "/privacy/erase")
        await page.goto(house.guild("/privacy"))
        await press(page, "Erase…")
        await expect(page.get_by_role("heading", name="What stays")).to_be_visible()
        assert await look(leaving, "erase") == []
        await press(page, "Keep things as they are")
        await expect(page.get_by_text("An erasure is asked for")).to_have_count(0)
        await press(page, "Erase…")
        await expect(erase.field("account")).not_to_be_checked()
        await erase.send()
        await says(page, "The erasure is asked for")
        await expect(page.get_by_text("An erasure is asked for")).to_be_visible()
        assert await look(leaving, "erasure-waits") == []
        await press(page, "Withdraw it")
        await says(page, "The erasure is withdrawn")
        await press(page, "Erase…")
        await erase.field("account").check()
        await erase.send()  # and the account here with it
        await expect(page.get_by_text("your account on this dashboard is deleted")).to_be_visible()
        assert await leaving.open(house.guild("/privacy")) == 401
        leaving.wrongs.clear()
        await leaving.page.goto(f"{house.url}/auth/login?account=choose")
        await leaving.consent(ERASED)
        await page.goto(house.guild("/privacy"))
        await press(page, "Withdraw it")
        await says(page, "The erasure is withdrawn")


async def test_who_manages_the_server_does_it_for_others_and_is_told_what_is_not_theirs_to_undo(
    stranger: Visitor, chromium_browser: Browser, house: House
) -> None:
    page, member_id = stranger.page, house.data.member_id
    await stranger.sign_in(OWNER)
    await page.goto(house.guild("/privacy"))
    find = page.get_by_label("Member\u2019s id")
    await find.fill("Ada")
    await press(page, "Show")
    await expect(find).to_have_value("Ada")
    await expect(find).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#errors")).to_be_focused()
    assert await look(stranger, "privacy-no-such-id") == []
    await find.fill(str(member_id))
    await press(page, "Show")
    await page.locator("#opt-out summary").click()
    await Form(page, "/opt-out").send()
    await says(page, "They are opted out")
    async with visitor(chromium_browser, house) as member:  # who says so themselves now
        await member.sign_in(member_id)
        await member.page.goto(house.guild("/privacy"))
        await Form(member.page, "/privacy/opt-in").send()
        await member.page.locator("#opt-out summary").click()
        await Form(member.page, "/privacy/opt-out").send()
        await says(member.page, "You are opted out")
        await Form(page, "/opt-in").send()
        refused = page.get_by_role("alert")
        await expect(refused).to_contain_text("Nothing was changed")
        await expect(refused).to_be_focused()
        assert await look(stranger, "opt-in-not-theirs") == []
        await Form(member.page, "/privacy/opt-in").send()
        await says(member.page, "Your time is counted again")
    await page.goto(house.guild(f"/privacy/members/{member_id}"))
    await page.locator("#erase-now summary").click()
    await Form(page, "/erase").send()
    await says(page, "The erasure is asked for. They are told")
    await page.goto(house.guild("/privacy"))
    await expect(page.locator("#pending").get_by_role("row").filter(has_text=f"by {OWNER}")).to_be_visible()
    await page.goto(house.guild(f"/privacy/members/{member_id}"))
    await press(page, "Withdraw it")
    await says(page, "The erasure is withdrawn")


async def test_a_role_is_made_given_taken_and_deleted(admin: Visitor, chromium_browser: Browser, house: House) -> None:
    async with visitor(chromium_browser, house) as hired:
        await hired.sign_in(HIRED)
        page, new = admin.page, Form(admin.page, "/admin/roles")
        await page.goto(f"{house.url}/admin/roles")
        await new.fill(name="Helpers", id="The Helpers!", priority="7")
        await new.node.locator("[value=view_admin]").check()
        await new.send()
        await new.is_refused("id", typed="The Helpers!")
        await expect(new.field("name")).to_have_value("Helpers")
        await expect(new.field("priority")).to_have_value("7")
        await expect(new.node.locator("[value=view_admin]")).to_be_checked()
        assert await look(admin, "role-refused") == []
        await new.send(id="helpers")
        await says(page, "The role “Helpers” is there")
        await new.send(id="helpers", name="The same again", priority="7")
        refused = page.get_by_role("alert")
        await expect(refused).to_contain_text("This was not done")
        await expect(refused).to_be_focused()
        await expect(new.field("name")).to_have_value("The same again")
        assert await look(admin, "role-twice") == []
        assert await hired.open(f"{house.url}/admin/users") == 403
        await page.goto(f"{house.url}/admin/users/{HIRED}")
        give = Form(page, f"/admin/users/{HIRED}", has="[value=assign]")
        await give.field("role_id").select_option("helpers")
        await give.send()
        await says(page, "has the role “Helpers” now")
        assert await look(admin, "role-given") == []
        assert await hired.open(f"{house.url}/admin/users") == 200
        await page.locator("#roles details summary").click()
        await Form(page, f"/admin/users/{HIRED}", has="[value=remove]").send()
        await says(page, "does not have the role “Helpers” any more")
        assert await hired.open(f"{house.url}/admin/users") == 403
        await page.goto(f"{house.url}/admin/roles/helpers")
        await page.locator("#delete summary").click()
        await Form(page, "/admin/roles/helpers", has="[value=delete]").send()
        await says(page, "The role “Helpers” was deleted")


async def test_a_ban_needs_a_reason_holds_at_the_next_click_and_is_lifted(
    admin: Visitor, chromium_browser: Browser, house: House
) -> None:
    async with visitor(chromium_browser, house) as guest:
        await guest.sign_in(BANNED)
        await guest.page.goto(house.guild(f"/members/{BANNED}"))
        page, ban = admin.page, Form(admin.page, f"/admin/users/{BANNED}", has="[value=ban]")
        await page.goto(f"{house.url}/admin/users/{BANNED}")
        await ban.send(reason="   ")
        await ban.is_refused("reason")
        assert await look(admin, "ban-refused") == []
        await ban.send(reason="Tried other people in their sessions")
        await says(page, "is banned, and their sessions have ended")
        assert await look(admin, "banned") == []
        async with a_new_page(guest.page):
            await guest.page.get_by_role("link", name="Privacy").first.click()
        await expect(guest.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
        unban = Form(page, f"/admin/users/{BANNED}", has="[value=unban]")
        await unban.send(reason="It was somebody else")
        await says(page, "can sign in again")
        await guest.page.goto(f"{house.url}/auth/login")  # who consented before is not asked again
        await expect(guest.page.get_by_role("heading", level=1)).to_have_text("Your servers")
        assert await guest.open(house.guild(f"/members/{BANNED}")) == 200
