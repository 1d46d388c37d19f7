"""The dashboard's looks and scripts in a real Chromium: every component and chart on one page (`tests/gallery`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.gallery.screens import SCREENS, SCREENSHOTS, Screen, complaints, is_wider_than_screen, photograph
from tests.gallery.site import GallerySite, gallery_site

pytestmark = pytest.mark.slow
DESK, PHONE = SCREENS[2], SCREENS[0]


@pytest.fixture
async def site() -> AsyncIterator[GallerySite]:
    async with gallery_site() as served:
        yield served


class Wrongs:
    """What a page complained of in the console, or broke over."""

    def __init__(self, page: Page) -> None:
        self.texts: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.texts.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.texts.append(message.text)


async def opened(
    browser: Browser, site: GallerySite, screen: Screen = DESK, path: str = "/gallery", **options: object
) -> tuple[Page, Wrongs]:
    page = await screen.open(browser, "about:blank", **options)
    wrongs = Wrongs(page)
    await page.goto(site.url + path)
    return page, wrongs


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_every_component_is_accessible_fits_the_screen_and_breaks_no_policy(
    browser: Browser, site: GallerySite, screen: Screen
) -> None:
    page, wrongs = await opened(browser, site, screen)
    await page.wait_for_selector(".dense-chart canvas")
    for details in await page.locator("details").all():
        await details.evaluate("details => { details.open = true; }")
    assert await complaints(page) == []
    assert not await is_wider_than_screen(page)
    assert wrongs.texts == []
    await photograph(page, SCREENSHOTS / f"gallery-{screen.name}.png")


async def test_the_narrowest_screen_scrolls_only_down(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site, Screen("narrow", 320, "light"))
    assert not await is_wider_than_screen(page)


async def test_nothing_moves_once_the_page_is_there(browser: Browser, site: GallerySite) -> None:
    """Scripts run, times change to the viewer's zone, a dense chart is drawn: what was there stays where it was."""
    page = await DESK.open(browser, "about:blank", timezone_id="Asia/Tokyo")
    await page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) moved += one.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    await page.goto(f"{site.url}/gallery")
    await page.wait_for_selector(".dense-chart canvas")
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert await page.evaluate("moved") < 0.01


async def test_without_a_script_the_page_is_whole(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site, PHONE, java_script_enabled=False)
    await expect(page.get_by_role("button", name="Copy")).to_have_count(0)  # what only a script can do is not offered
    await expect(page.locator(".dense-chart")).to_be_hidden()
    await expect(page.locator("#dense table")).to_be_hidden()
    await page.locator("#dense summary").click()
    await expect(page.locator("#dense table")).to_be_visible()
    nav = page.get_by_role("navigation", name="Pages of this server")
    await expect(nav).to_be_hidden()
    await page.get_by_role("button", name="Menu", exact=True).click()
    await expect(nav.get_by_role("link", name="Leaderboard")).to_be_visible()
    await page.get_by_role("button", name="Close the menu").click()
    await expect(nav).to_be_hidden()
    await page.get_by_text("Revoke the key").click()
    await page.get_by_label("Passphrase").fill("open sesame")
    await page.get_by_role("button", name="Revoke it for good").click()
    await page.get_by_role("button", name="Dark").click()
    assert site.posted == [
        ("/x", {"_csrf_token": "token", "passphrase": "open sesame"}),
        ("/appearance", {"_csrf_token": "token", "theme": "dark"}),
    ]
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_the_keyboard_reaches_everything_and_can_skip(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site, path="/gallery?calm")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    menu, _ = await opened(browser, site, PHONE)
    button = menu.get_by_role("button", name="Menu", exact=True)
    await button.focus()
    await menu.keyboard.press("Enter")
    await expect(menu.get_by_role("link", name="Analytics", exact=True).first).to_be_visible()
    await menu.keyboard.press("Escape")
    await expect(button).to_be_focused()


async def test_on_a_phone_no_chart_scrolls_sideways(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site, Screen("phone", 390, "light"))
    wide = "list => list.filter(one => one.scrollWidth > one.clientWidth).map(one => one.getAttribute('aria-label'))"
    assert await page.locator(".chart-scroll").evaluate_all(wide) == []
    for name in ("calendar", "timeline"):
        await expect(page.locator(f".plot[data-kind={name}-narrow]").first).to_be_visible()
        await expect(page.locator(f".plot[data-kind={name}]:has(+ .plot)").first).to_be_hidden()
    await page.set_viewport_size({"width": 1280, "height": 900})
    for name in ("calendar", "timeline"):
        await expect(page.locator(f".plot[data-kind={name}-narrow]").first).to_be_hidden()
        await expect(page.locator(f".plot[data-kind={name}]").first).to_be_visible()


async def test_what_is_wrong_with_a_field_does_not_lift_it_out_of_its_row(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site)
    row = page.locator(".form-row:has(.field-error)").first
    ends = "list => list.map(one => Math.round(one.getBoundingClientRect().bottom))"
    assert len(set(await row.locator("> .field > :is(input, select), > .button").evaluate_all(ends))) == 1


RING = """() => {
  const at = document.activeElement;
  const drawn = at.closest("label") && getComputedStyle(at).outlineStyle === "none" ? at.closest("label") : at;
  const style = getComputedStyle(drawn), light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.documentElement).backgroundColor), ring = light(style.outlineColor);
  const contrast = (Math.max(ground, ring) + 0.05) / (Math.min(ground, ring) + 0.05);
  const name = `${at.tagName} ${at.id} ${at.textContent.trim().slice(0, 30)}`;
  return { name, width: style.outlineStyle === "solid" ? parseFloat(style.outlineWidth) : 0, contrast };
}"""


@pytest.mark.parametrize("screen", SCREENS[2:], ids=lambda screen: screen.name)
async def test_whatever_the_keyboard_reaches_has_a_ring_around_it(browser: Browser, site: GallerySite, screen: Screen) -> None:
    """WCAG 2.2, 2.4.13: two pixels at least, and three to one against the page."""
    page, _ = await opened(browser, site, screen, "/gallery?calm")
    await page.wait_for_selector(".dense-chart canvas")
    faint, seen = [], set()
    for stop in range(400):
        await page.keyboard.press("Tab")
        if stop and await page.evaluate("document.activeElement.matches('body, .skip-link')"):  # all the way round
            break
        ring = await page.evaluate(RING)
        seen.add(ring["name"].split()[0])
        if ring["width"] < 2 or ring["contrast"] < 3:
            faint.append(ring)
    assert seen >= {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY", "TEXTAREA"}
    assert faint == []


async def test_a_theme_is_remembered_and_sent_to_nobody(browser: Browser, site: GallerySite) -> None:
    page, wrongs = await opened(browser, site)
    light = await page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("html")).not_to_have_css("background-color", light)  # once the new colours are drawn
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="As the system has it").click()
    await page.reload()
    assert await page.locator("html").get_attribute("data-theme") is None
    assert site.posted == []
    assert wrongs.texts == []


async def test_a_theme_that_was_chosen_without_a_script_can_be_changed_by_one(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site)
    await page.context.add_cookies([{"name": "theme", "value": "dark", "url": site.url, "httpOnly": True}])
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="Light").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert site.posted == [("/appearance", {"_csrf_token": "token", "theme": "light"})]


async def test_times_are_the_viewers_and_the_servers_stay_on_hover(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site, timezone_id="America/New_York")
    made = page.locator(".facts time[data-style=datetime]").first
    await expect(made).to_have_text("28 Nov 2026, 16:39")
    await expect(made).to_have_attribute("title", re.compile(r"^28 Nov 2026, 22:39 \(Europe/Berlin"))
    plain, _ = await opened(browser, site, java_script_enabled=False)
    await expect(plain.locator(".facts time[data-style=datetime]").first).to_have_text("28 Nov 2026, 22:39")


async def test_what_goes_on_counts_on(browser: Browser, site: GallerySite) -> None:
    page = await DESK.open(browser, "about:blank")
    await page.clock.install(time="2026-11-29T00:46:00.000Z")
    await page.goto(f"{site.url}/gallery")
    running = page.locator("[data-since]")
    await expect(running).to_have_text("3\u00a0h 06\u00a0min")
    await page.clock.run_for(60_000)
    await expect(running).to_have_text("3\u00a0h 07\u00a0min")


async def test_a_key_is_copied_and_the_button_says_so(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site, permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy Webhook secret").click()
    await expect(page.get_by_role("button", name="Copied Webhook secret")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == await page.locator("#hook-secret").inner_text()


async def test_where_copying_is_not_allowed_the_text_is_selected(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site)
    await page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    await page.get_by_role("button", name="Copy Webhook secret").click()
    await expect(page.get_by_role("button", name="Selected Webhook secret")).to_be_visible()
    assert await page.evaluate("String(getSelection())") == await page.locator("#hook-secret").inner_text()


async def test_a_step_to_confirm_takes_the_focus_and_gives_it_back(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site)
    await page.locator("#revoke summary").click()
    await expect(page.get_by_label("Passphrase")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#revoke summary")).to_be_focused()
    await expect(page.get_by_label("Passphrase")).to_be_hidden()


async def test_a_list_of_channels_is_narrowed_but_never_hides_what_is_ticked(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site)
    picker = page.locator("[data-picker]")
    await picker.get_by_role("searchbox").fill("room 1")
    await expect(picker.get_by_text("Study room 1", exact=True)).to_be_visible()
    await expect(picker.get_by_text("Study room 2", exact=True)).to_be_hidden()
    await expect(picker.get_by_text("Guild events & talks room 3", exact=True)).to_be_visible()  # ticked
    await expect(picker.get_by_text("Lobby", exact=True)).to_be_hidden()
    await picker.get_by_role("searchbox").press("Enter")
    assert site.posted == []


async def test_a_form_is_sent_once_however_often_it_is_clicked(browser: Browser, site: GallerySite) -> None:
    page, _ = await opened(browser, site)
    await page.evaluate(
        "const form = document.querySelector('main form.form');"
        "form.addEventListener('submit', event => { window.sent = (window.sent ?? 0) + !event.defaultPrevented;"
        " event.preventDefault(); });"
        "form.querySelectorAll('[required]').forEach(field => field.required = false); form.noValidate = true;"
        "for (let n = 0; n < 3; n += 1) form.querySelector('.form-actions button').click();"
    )
    assert await page.evaluate("sent") == 1


async def live(browser: Browser, site: GallerySite) -> Page:
    page, _ = await opened(browser, site)
    await site.until_connected()
    await expect(page.locator("[data-live-status]")).to_have_text("Live")
    return page


async def test_an_event_replaces_its_slot_with_times_in_the_viewers_zone(browser: Browser, site: GallerySite) -> None:
    page = await live(browser, site)
    slot = page.locator("[data-live-slot=occupancy]")
    await expect(slot).to_have_text("as the page came")
    site.tell("occupancy", '<b>Ada</b>\n<time datetime="2026-11-28T21:39:00Z" data-style="time">?</time>', 1)
    await expect(slot.locator("b")).to_have_text("Ada")
    await expect(slot.locator("time")).to_have_text(await page.evaluate(_CLOCK))


async def test_an_event_without_a_slot_is_passed_on_by_its_name(browser: Browser, site: GallerySite) -> None:
    page = await live(browser, site)
    heard = page.evaluate("new Promise(done => document.body.addEventListener('live:session', event => done(event.detail)))")
    telling = asyncio.ensure_future(heard)
    await page.evaluate("1")  # the listener is there: messages are handled in order
    site.tell("session", '{"n": 1}', 1)
    assert await telling == '{"n": 1}'


async def test_a_stream_that_ends_is_taken_up_where_it_ended(browser: Browser, site: GallerySite) -> None:
    page = await live(browser, site)
    site.tell("occupancy", "before", 41)
    await expect(page.locator("[data-live-slot=occupancy]")).to_have_text("before")
    site.hang_up()
    await site.until_connected(2)
    assert site.resumed_from == ["", "41"]
    site.tell("occupancy", "after", 42)
    await expect(page.locator("[data-live-slot=occupancy]")).to_have_text("after")


async def test_a_refused_stream_is_tried_again_and_the_page_is_right_before_it_flows(
    browser: Browser, site: GallerySite
) -> None:
    page = await live(browser, site)
    site.refuses = True
    site.hang_up()
    await site.until_refused()
    await expect(page.locator("[data-live-status]")).to_have_text("Reconnecting…")
    site.slot = "what happened meanwhile"
    site.refuses = False
    await expect(page.locator("[data-live-slot=occupancy]")).to_have_text("what happened meanwhile", timeout=20_000)
    await expect(page.locator("[data-live-status]")).to_have_text("Live", timeout=20_000)


@pytest.mark.parametrize(
    "wake",
    ["window.dispatchEvent(new Event('online'))", "document.dispatchEvent(new Event('visibilitychange'))"],
    ids=["network", "tab"],
)
async def test_after_a_sleep_the_page_is_right_again(browser: Browser, site: GallerySite, wake: str) -> None:
    page = await live(browser, site)
    site.slot = "while you slept"  # and no event of it ever came
    await page.evaluate(wake)
    await expect(page.locator("[data-live-slot=occupancy]")).to_have_text("while you slept")
    await site.until_connected(2)


async def test_who_is_signed_out_meanwhile_is_sent_to_sign_in(browser: Browser, site: GallerySite) -> None:
    page = await live(browser, site)
    await page.route(
        "**/gallery", lambda route: route.fulfill(status=401, body="<title>Sign in</title>", content_type="text/html")
    )
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(page).to_have_title("Sign in")


async def test_a_dense_chart_follows_the_theme_and_the_width(browser: Browser, site: GallerySite) -> None:
    page, wrongs = await opened(browser, site)
    canvas = page.locator(".dense-chart canvas")
    await canvas.wait_for()
    wide = (await canvas.bounding_box() or {})["width"]
    before = await canvas.evaluate("canvas => canvas.toDataURL()")
    await page.get_by_role("button", name="Dark").click()
    await canvas.wait_for()
    await page.wait_for_function("before => document.querySelector('.dense-chart canvas').toDataURL() !== before", arg=before)
    await page.set_viewport_size({"width": 500, "height": 900})
    await page.wait_for_function(
        "wide => document.querySelector('.dense-chart canvas').getBoundingClientRect().width < wide", arg=wide
    )
    assert wrongs.texts == []


_CLOCK = (
    "new Intl.DateTimeFormat('en', {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'})"
    ".format(new Date('2026-11-28T21:39:00Z'))"
)
