"""The rest of a page comes (scripts, charts, parts that are fetched): nothing moves, and what does not come is said."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from simulator.demo_ids import demo_channel_id
from tests.end_to_end.lived_in_dashboard import PATIENCE_MS, House, Visitor, pages_with_a_route, visitor
from tests.gallery.screens import SCREENSHOTS, complaints, photograph

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=PATIENCE_MS)

WIDTHS = (390, 1280)
LOADS = 3
LOUNGE = demo_channel_id(0, 5)
# Each move that nobody's hand made, with the beginnings of what moved, from where and to where.
WATCH = """
window.moved = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (one.hadRecentInput) continue;
    const place = ({x, y, width, height}) => `${x},${y} ${width}x${height}`;
    const words = ({node, previousRect: from, currentRect: to}) =>
      `${(node?.outerHTML ?? node?.nodeValue)?.slice(0, 90)} from ${place(from)} to ${place(to)}`;
    moved.push(`${one.value.toFixed(5)}: ${one.sources.map(words).join(" | ")}`);
  }
}).observe({type: "layout-shift", buffered: true});
"""
PAINTED = """new Promise((done) => new PerformanceObserver((list) => {
  if (list.getEntriesByName("first-contentful-paint").length) done();
}).observe({type: "paint", buffered: true}))"""
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(chromium_browser: Browser, house: House) -> AsyncIterator[Visitor]:
    """An admin far from the server, whose scripts come only after the page was drawn without them: the worst case."""
    async with visitor(chromium_browser, house, timezone_id="Asia/Tokyo") as came:
        await came.sign_in(house.data.admin_id)
        await came.page.add_init_script(WATCH)

        async def hold(route: Route) -> None:
            await came.page.evaluate(PAINTED)
            await came.page.evaluate(TWO_FRAMES)
            await route.continue_()

        await came.page.route("**/static/*.js", hold)
        await came.page.route("**/analytics/breakdowns?*", hold)
        yield came


@pytest.mark.parametrize(("name", "path"), pages_with_a_route(), ids=[name for name, _ in pages_with_a_route()])
@pytest.mark.usefixtures("member")  # who never signed in has no page among the accounts
async def test_nothing_moves_while_a_page_gets_whole(watched: Visitor, house: House, name: str, path: str) -> None:
    address = house.url + path.format(guild_id=house.data.guild_id, user_id=house.data.member_id, channel_id=LOUNGE)
    for width in WIDTHS:
        await watched.page.set_viewport_size({"width": width, "height": 900})
        # What a page does it does each time, for all that is late is held back here. A browser short of time now and then
        # notes a move that no page made: a <dd> that began 40 px further right, where its own style sheet would have it.
        moves = [await moves_of(watched, address)]
        while moves[-1] and len(moves) < LOADS:
            moves.append(await moves_of(watched, address))
        assert moves[-1] == [], f"{name} at {width}px"


async def moves_of(watched: Visitor, address: str) -> list[str]:
    """What moved while the page came, each with how much of the screen that was."""
    assert await watched.open(address) == 200
    await watched.until_whole()
    await watched.page.evaluate(TWO_FRAMES)
    moved: list[str] = await watched.page.evaluate("moved")
    return moved


async def test_a_part_that_cannot_be_had_says_so_and_can_be_tried_again(admin: Visitor, house: House) -> None:
    page, answers = admin.page, iter((503, None, 401))

    async def answer(route: Route) -> None:
        status = next(answers, 200)
        if status == 200:
            await route.continue_()
        else:
            await (route.abort() if status is None else route.fulfill(status=status, body="<p>No</p>"))

    await page.route("**/analytics/breakdowns?*", answer)
    await page.goto(house.guild("/analytics?days=7&tz=Asia/Tokyo"))
    failed = page.get_by_text("Members and channels could not be added up")
    again = page.get_by_role("link", name="Try again")
    await expect(failed).to_be_visible()
    await expect(page.get_by_text("are being added up")).to_be_hidden()
    assert await complaints(page) == []
    await photograph(page, SCREENSHOTS / "part-failed.png")
    async with page.expect_event("requestfailed", timeout=PATIENCE_MS):
        await again.click()
    await expect(failed).to_be_visible()
    await again.click()  # signed out meanwhile: the page is asked for anew, which would say so
    await expect(page.get_by_role("region", name="Members by their time")).to_be_visible()
    await expect(page.get_by_role("region", name="Time by channel")).to_be_visible()
    await expect(failed).to_have_count(0)
    await page.unroute("**/analytics/breakdowns?*")
    admin.wrongs.clear()


async def test_a_part_is_tried_again_in_its_place(admin: Visitor, house: House) -> None:
    page = admin.page
    await page.route("**/analytics/breakdowns?*", lambda route: route.fulfill(status=503, body="No"), times=1)
    await page.goto(house.guild("/analytics?days=7&tz=Asia/Tokyo"))
    address = page.url
    async with page.expect_response("**/analytics/breakdowns?days=7&unit=day&tz=Asia%2FTokyo", timeout=PATIENCE_MS):
        await page.get_by_role("link", name="Try again").click()
    await expect(page.get_by_role("region", name="Time by channel")).to_be_visible()
    assert page.url == address
    admin.wrongs.clear()


async def test_without_scripts_a_link_leads_to_the_part_and_back(chromium_browser: Browser, house: House) -> None:
    async with visitor(chromium_browser, house, java_script_enabled=False) as plain:
        page = plain.page
        await plain.sign_in(house.data.admin_id)
        await page.goto(house.guild("/analytics?days=7&tz=Asia/Tokyo&unit=week"))
        await expect(page.get_by_text("Time by channel")).to_be_hidden()
        await page.get_by_role("main").get_by_role("link", name="Members and channels").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Members and channels")
        await expect(page.get_by_role("region", name="Time by channel")).to_be_visible()
        await expect(page.get_by_text("(Asia/Tokyo)")).to_be_visible()
        await page.get_by_role("main").get_by_role("link", name="Analytics", exact=True).click()
        await page.wait_for_url("**/analytics?days=7&unit=week&tz=Asia%2FTokyo")
