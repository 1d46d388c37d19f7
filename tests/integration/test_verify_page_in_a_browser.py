"""The page ``/verify`` in a real Chromium: files dropped and chosen, the network off, the page as one file."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from api.verifier_files import SINGLE_FILE, verifier_files
from tests.api_world import MEMBER, World
from tests.browsers import open_browser
from tests.export_world import ExportWorld
from tests.receipt_world import ReceiptWorld, ruled_session
from tests.signing_world import SigningProcess
from tests.strategies.receipts import EXAMPLE, HELD

pytestmark = pytest.mark.slow
MINE = ruled_session(1, user_id=MEMBER)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(32)
    server = uvicorn.Server(uvicorn.Config(world.app(), log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield "http://localhost:{1}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        await serving
        listener.close()


class Visitor:
    """A page in a browser of its own, and everything that it asked of anybody."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.set_default_timeout(90_000)  # machines that test everything at once are slow
        self.requests: list[str] = []
        self.wrong: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))

    async def choose(self, path: Path, field: str = "#files") -> None:
        await self.page.set_input_files(field, path)

    async def drop(self, name: str, data: bytes) -> None:
        """As a hand does it, with a file from elsewhere."""
        transfer = await self.page.evaluate_handle(
            "([name, bytes]) => { const moved = new DataTransfer();"
            " moved.items.add(new File([Uint8Array.from(bytes)], name)); return moved; }",
            [name, list(data)],
        )
        for event in ("dragenter", "dragover", "drop"):
            await self.page.dispatch_event("#drop", event, {"dataTransfer": transfer})

    async def verdict(self, kind: str) -> str:
        """The text of the newest result, which must be of that kind."""
        article = self.page.locator("#results article").first
        await article.wait_for()
        await self.page.wait_for_selector("#running", state="hidden")
        assert kind in (await article.get_attribute("class")).split(), await article.inner_text()
        return await article.inner_text()

    async def until_ready(self) -> None:
        await self.page.wait_for_selector("#engine.good")


@asynccontextmanager
async def visitor(**options: Any) -> AsyncIterator[Visitor]:
    async with open_browser() as browser:
        context = await browser.new_context(**options)
        yield Visitor(await context.new_page())


@pytest.fixture
async def address(sqlite_world: World, tmp_path: Path) -> AsyncIterator[str]:
    sqlite_world.log_folder = tmp_path
    receipts = ReceiptWorld(SigningProcess(sqlite_world.database), tmp_path)
    await receipts.settle()
    await receipts.recorded([MINE])
    async with served(sqlite_world) as url:
        yield url


async def test_files_are_judged_without_a_request_and_keys_can_be_pinned(address: str, tmp_path: Path):
    changed = json.dumps({**HELD, "timeline": HELD["timeline"].replace("muted", "counted")}).encode()
    proof, record = tmp_path / "4.tlog-proof", tmp_path / "record.json"
    proof.write_text(HELD["proof"])
    record.write_text(HELD["record"])
    async with visitor() as one:
        await one.page.goto(f"{address}/verify")
        await one.until_ready()
        asked = len(one.requests)
        await one.drop("receipt.json", EXAMPLE)
        told = await one.verdict("valid")
        assert "It rests on keys from the file itself" in told
        assert told.count("Taken from the file itself") == 2
        await one.drop("changed.json", changed)
        told = await one.verdict("invalid")
        assert "timeline-digest" in told
        assert "What it says (not proven)" in told
        await one.drop("holiday.jpg", b"\xff\xd8\xff\xe0")
        assert "Not usable" in await one.verdict("unusable")
        await one.page.click("#keys summary")
        await one.page.fill("#log-key", HELD["log_key"])
        await one.page.fill("#key", HELD["public_key"])
        await one.choose(record, "#record")
        await one.drop("receipt.json", EXAMPLE)
        told = await one.verdict("valid")
        assert "It rests on keys from the file itself" not in told
        assert told.count("Given by you.") == 2
        await one.choose(proof)
        assert "Proof that a record is in a log" in await one.verdict("valid")
        await one.page.fill("#key", "nonsense")
        await one.drop("receipt.json", EXAMPLE)
        assert "a key that you gave is none" in await one.verdict("unusable")
        assert (one.requests[asked:], one.wrong) == ([], [])


async def test_an_export_is_judged_with_the_page_usable_meanwhile(sqlite_database, tmp_path: Path):
    world = ExportWorld(sqlite_database, tmp_path / "data")
    await world.period(9, others=2)
    archive = await world.bytes_of()
    saved, changed = tmp_path / SINGLE_FILE, bytearray(gzip.decompress(archive))
    saved.write_bytes(verifier_files()[SINGLE_FILE].data)
    place = changed.index(b'"credited_ms":', changed.index(b"entries.jsonl")) + len(b'"credited_ms":')
    changed[place] ^= 1
    async with visitor() as one:
        await one.page.goto(saved.as_uri())
        await one.until_ready()
        await one.drop("period-0.tar.gz", archive)
        told = await one.verdict("valid")
        assert "Export of a period: period-0.tar.gz" in told
        assert "25 passed, 0 failed, 0 not possible" in told
        await one.drop("changed.tar.gz", gzip.compress(bytes(changed)))
        assert "manifest" in await one.verdict("invalid")
        await one.drop("cut.tar.gz", archive[:-20])
        assert "the archive was cut short" in await one.verdict("unusable")
        assert one.wrong == []


async def test_a_session_by_its_id_is_the_servers_word_and_is_said_to_be(address: str):
    async with visitor() as one:
        await one.page.goto(f"{address}/verify?session={MINE.session_id}")
        told = await one.verdict("unusable")
        assert "The server says: valid" in told
        assert "Not checked in your browser" in told
        await one.page.fill("#session-id", "01972f3c-7c00-7000-8000-0123456789ab")
        await one.page.press("#session-id", "Enter")
        await one.page.get_by_text("The server knows no session of that id.").wait_for()
        await one.page.fill("#session-id", "../../health")
        await one.page.press("#session-id", "Enter")
        await one.page.get_by_text("That is no session's id").wait_for()


async def test_it_opens_and_judges_with_the_network_off(address: str):
    async with visitor() as one:
        await one.page.goto(f"{address}/verify")
        await one.until_ready()
        await one.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await one.page.context.set_offline(True)
        await one.page.goto(f"{address}/verify")
        await one.until_ready()
        await one.drop("receipt.json", EXAMPLE)
        await one.verdict("valid")
        assert one.wrong == []
        await one.page.fill("#session-id", str(MINE.session_id))
        await one.page.press("#session-id", "Enter")
        await one.page.get_by_text("The server did not answer").wait_for()


async def test_as_one_file_it_judges_from_the_disk_and_may_reach_nobody(tmp_path: Path):
    saved = tmp_path / SINGLE_FILE
    saved.write_bytes(verifier_files()[SINGLE_FILE].data)
    async with visitor() as one:
        await one.page.goto(saved.as_uri())
        await one.until_ready()
        await one.drop("receipt.json", EXAMPLE)
        await one.verdict("valid")
        assert await one.page.locator("#by-id").is_hidden()
        assert [url for url in one.requests if not url.startswith(("file:", "blob:", "data:"))] == []
        assert one.wrong == []
        refused = await one.page.evaluate("fetch('http://localhost:9/').then(() => 'sent', (error) => error.name)")
        assert refused == "TypeError"
        assert any("Content Security Policy" in text for text in one.wrong)


async def test_where_ed25519_is_missing_it_says_so_and_judges_nothing(address: str):
    lacking = (
        "Object.defineProperty(SubtleCrypto.prototype, 'importKey', "
        "{value: () => Promise.reject(new DOMException('', 'NotSupportedError'))})"
    )
    async with visitor() as one:
        await one.page.route(
            "**/worker.js",
            lambda route: asyncio.ensure_future(_with_prelude(route, lacking)),
        )
        await one.page.goto(f"{address}/verify")
        await one.page.wait_for_selector("#engine.bad")
        assert "cannot check Ed25519 signatures" in await one.page.inner_text("#engine")
        assert await one.page.is_disabled("#files")
        await one.drop("receipt.json", EXAMPLE)
        assert await one.page.locator("#results article").count() == 0


async def _with_prelude(route: Any, prelude: str) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, body=f"{prelude};\n{await answer.text()}")
