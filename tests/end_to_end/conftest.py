"""`house`, `admin` and `member`: the whole service on weeks of made-up life, and people at browsers, one for each module."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browsers import open_browser
from tests.end_to_end.lived_in_dashboard import House, Visitor, open_house, visitor
from tests.fixtures_demo import DemoData


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(prebuilt_demo: DemoData, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house") / "data"
    shutil.copytree(prebuilt_demo.folder, folder)
    async with open_house(DemoData(folder, prebuilt_demo.began_ms)) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium_browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(chromium_browser: Browser, house: House) -> AsyncIterator[Visitor]:
    """Manage Server everywhere, and the deployment's operator."""
    async with visitor(chromium_browser, house) as came:
        await came.sign_in(house.data.admin_id)
        yield came


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def member(chromium_browser: Browser, house: House) -> AsyncIterator[Visitor]:
    """Somebody without rights."""
    async with visitor(chromium_browser, house) as came:
        await came.sign_in(house.data.member_id)
        yield came


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(chromium_browser: Browser, house: House) -> AsyncIterator[Visitor]:
    """A browser that nobody has signed in with."""
    async with visitor(chromium_browser, house) as came:
        yield came
