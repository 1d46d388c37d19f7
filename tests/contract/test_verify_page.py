"""``/verify``: the page's files, their headers, and the page as one file."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from api.routes.verify_page import POLICY
from api.verifier_files import PAGE, SINGLE_FILE, single_file, verifier_files
from tests.api_world import World, http_client

FOLDER = Path(__file__).parents[2] / "api/verifier"
OURS = sorted(path.name for path in FOLDER.iterdir() if path.name != PAGE)


async def test_the_page_and_its_files_come_with_a_strict_policy_and_no_limit(sqlite_world: World):
    async with http_client(sqlite_world.app(requests_per_minute_ip=1)) as client:
        for path in ["/verify", *(f"/verify/page/{name}" for name in [*OURS, SINGLE_FILE])]:
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["content-security-policy"] == POLICY
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
            assert (await client.head(path)).status_code == 200
        kinds = {name: (await client.get(f"/verify/page/{name}")).headers["content-type"] for name in ("page.js", "page.css")}
    assert kinds == {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}
    assert "unsafe" not in POLICY


async def test_other_names_are_not_found_whatever_they_name(sqlite_world: World):
    async with http_client(sqlite_world.app()) as client:
        for name in ("index.html", "none.js", "..%2froutes%2fverify_page.py", "%2e%2e", ".", "page.js%00", "PAGE.JS"):
            assert (await client.get(f"/verify/page/{name}")).status_code == 404, name


async def test_with_a_slash_behind_it_leads_to_the_page(sqlite_world: World):
    async with http_client(sqlite_world.app()) as client:
        answer = await client.get("/verify/")
        assert (answer.status_code, answer.headers.get("location")) == (308, "../verify")
        assert str(answer.request.url.join(answer.headers["location"])).endswith("rollcall.test/verify")


async def test_the_service_worker_keeps_every_file_under_a_version_of_them_all(sqlite_world: World):
    async with http_client(sqlite_world.app()) as client:
        answer = await client.get("/verify/page/service-worker.js")
    assert answer.headers["service-worker-allowed"] == "../../verify"
    (listed,) = re.findall(r"^const FILES = \[(.*)\];$", answer.text, re.MULTILINE)
    assert set(re.findall(r'"([^"]+)"', listed)) == {*OURS, SINGLE_FILE} - {"service-worker.js"}
    assert re.search(r'^const VERSION = "[0-9a-f]{16}";$', answer.text, re.MULTILINE)


def test_nothing_is_asked_of_anybody_else_and_nothing_is_written_as_html():
    for path in FOLDER.iterdir():
        text = path.read_text()
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^\s\"'`)]+", text), path.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style=|\\son[a-z]+=\"", text
        ), path
        if path.suffix == ".html":
            assert not re.search(r"<script(?! type=\"module\" src=)|<style", text)


def test_no_module_reads_json_loosely_where_it_judges():
    judging = [path for path in FOLDER.glob("*.js") if path.name not in {"profile.js", "page.js"}]
    assert [path.name for path in judging if re.search(r"JSON\.parse|\.json\(\)|parseFloat", path.read_text())] == []


def test_the_single_file_names_its_code_and_its_style_and_reaches_nobody():
    text = verifier_files()[SINGLE_FILE].data.decode()
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
    (code,) = re.findall(r'<script id="code">(.*?)</script>', text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for part, kind in ((code, "script-src"), (style, "style-src")):
        assert f"{kind} 'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "connect-src" not in policy
    assert "unsafe" not in policy
    assert "src=" not in text.split("<script", 1)[0]


def test_an_import_in_another_form_is_refused_and_not_left_out():
    texts = {path.name: path.read_text() for path in FOLDER.iterdir()}
    for line in (
        'import "./bytes.js";\n',
        "export default 1;\n",
        "import * as all from './bytes.js';\n",
        'await import("./bytes.js");\n',
    ):
        with pytest.raises(ValueError, match="import or export"):
            single_file({**texts, "merkle.js": texts["merkle.js"] + line})
