"""`python -m tests.gallery [FOLDER]`: serve the gallery for eyes; with a folder, write screenshots into it and stop."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.browsers import open_browser
from tests.gallery.screens import SCREENS, photograph
from tests.gallery.site import gallery_site


async def main(arguments: list[str]) -> None:
    async with gallery_site() as site:
        if not arguments:
            print(f"{site.url}/gallery (Ctrl-C ends it)")  # noqa: T201
            await asyncio.Event().wait()
        folder = Path(arguments[0])
        async with open_browser() as browser:
            for screen in SCREENS:
                page = await screen.open(browser, f"{site.url}/gallery")
                await photograph(page, folder / f"gallery-{screen.name}.png")
                await page.context.close()


asyncio.run(main(sys.argv[1:]))
