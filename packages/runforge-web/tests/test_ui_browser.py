"""The pages in a real browser: with and without a script, for everybody, and under attack."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from real_experiments import Repository
from real_store import training
from web_browser import BROWSERS, open_pages
from web_client import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.needs(*BROWSERS, package="playwright")]


def addresses(server: Server) -> list[str]:
    """Return a page of each kind."""
    import re

    listed = server.ask("/runs").text
    found = re.findall(r'<th scope="row"><a href="(/runs/[^"]+)"><code>', listed)
    pages = [
        "/runs",
        "/runs?where=((",
        "/sweeps",
        "/datasets",
        "/documents",
        *found[:3],
        f"{found[0]}/log",
    ]
    pages.append("/compare?" + "&".join(f"run={name.rpartition('/')[2]}" for name in found[:6]))
    for group in re.findall(r'href="(/sweeps/[^"]+)"', server.ask("/sweeps").text)[:1]:
        pages.append(group)
    for dataset in re.findall(r'href="(/datasets/[^"]+)"', server.ask(found[0]).text):
        pages.append(dataset)
    return pages


def test_runs_are_chosen_and_compared_with_the_keyboard(chromium: Any, server: Server) -> None:
    page = open_pages(chromium, server)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    boxes = page.locator("input[name=run]")
    for number in (0, 1):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Compare the chosen runs").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?run=*&run=*")
    assert page.get_by_role("heading", name="Comparison of 2 runs").is_visible()
    assert page.complaints == []


@pytest.mark.parametrize("script", [True, False])
def test_reading_needs_no_script(chromium: Any, server: Server, script: bool) -> None:
    page = open_pages(chromium, server, java_script_enabled=script)
    page.get_by_label("Condition").fill("accuracy>0")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/runs?where=accuracy*")
    page.get_by_role("link", name="accuracy").click()
    page.wait_for_url("**sort=accuracy*")
    page.locator("tbody th a").first.click()
    page.get_by_role("button", name="Verify").click()
    page.wait_for_url("**/verification")
    assert page.get_by_role("heading", level=2).first.text_content().split()[-1] == "verified"
    page.get_by_role("link", name="Documents").click()
    page.get_by_label("JSON").fill('{"version": 1}')
    page.locator("select[name=schema]").select_option("request.v1")
    page.get_by_role("button", name="Validate").click()
    assert page.get_by_text("What the contract says").is_visible()
    # A browser says of itself that an answer has the status 422.
    assert [text for text in page.complaints if "422" not in text] == []


def test_a_chosen_file_is_validated(chromium: Any, server: Server, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"version": 1}')
    page = open_pages(chromium, server)
    page.goto(f"{server.origin}/documents")
    page.get_by_label("Or choose a file").set_input_files(tmp_path / "request.json")
    page.wait_for_function("document.getElementById('document').value.includes('version')")


def test_the_list_renews_itself_while_runs_begin_and_end(
    chromium: Any, store: Path, tmp_path: Path
) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    with serving(tmp_path / "ws") as server:
        page = open_pages(chromium, server)
        page.locator("input[name=run]").first.check()
        chosen = page.locator("input[name=run]").first.get_attribute("value")
        with page.expect_response("**/events"):
            page.reload()
        page.locator(f"input[value='{chosen}']").check()
        with training(tmp_path / "ws") as (_, folder):
            row = page.get_by_role("row").filter(has_text=folder.name)
            row.get_by_text("running").wait_for()
            assert page.locator(f"input[value='{chosen}']").is_checked()
        row.get_by_text("interrupted").wait_for()
        assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280, 3840])
def test_pages_are_for_everybody(
    chromium: Any, server: Server, experiments: Repository, scheme: str, width: int
) -> None:
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    with serving(experiments.root) as other:
        for shown in (server, other):
            page = open_pages(
                chromium,
                shown,
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
                bypass_csp=True,  # for the judge alone
            )
            for address in addresses(shown):
                page.goto(shown.origin + address)
                page.evaluate(axe)
                found = page.evaluate("axe.run()")["violations"]
                assert [(item["id"], item["nodes"][0]["html"]) for item in found] == [], address
                over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                assert page.evaluate(over) == 0, address


def test_hostile_names_run_nothing(chromium: Any, experiments: Repository) -> None:
    with serving(experiments.root) as server:
        page = open_pages(chromium, server)
        for address in addresses(server):
            page.goto(server.origin + address)
            assert page.evaluate("document.scripts.length") == 1
            assert page.evaluate("document.images.length") == 0
        assert [text for text in page.complaints if "status of 400" not in text] == []


ATTACK = """<!DOCTYPE html><title>evil</title><form method="post" target="_self"></form>
<iframe id="frame"></iframe><script>
const origin = location.hash.slice(1);
const found = {};
async function attempt(name, work) {
  try { found[name] = await work(); } catch (error) { found[name] = "refused"; }
}
(async () => {
  await attempt("read", async () =>
    (await (await fetch(origin + "/runs", { credentials: "include" })).text()).length);
  await attempt("blind", async () =>
    (await fetch(origin + "/runs", { mode: "no-cors", credentials: "include" })).type);
  await attempt("events", () => new Promise((done) => {
    const source = new EventSource(origin + "/events", { withCredentials: true });
    source.onopen = () => done("open");
    source.onerror = () => { source.close(); done("refused"); };
  }));
  await attempt("script", () => new Promise((done) => {
    const script = document.createElement("script");
    script.src = origin + "/static/pages.js";
    script.onload = () => done("loaded");
    script.onerror = () => done("refused");
    document.head.append(script);
  }));
  document.title = JSON.stringify(found);
})();
</script>"""


@pytest.fixture
def evil() -> Iterator[str]:
    """Return the origin of another server of this machine, whose page attacks ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(ATTACK.encode())

        def log_message(self, *arguments: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "evil.example"])
def test_another_site_reads_and_does_nothing(
    chromium: Any, server: Server, evil: str, name: str
) -> None:
    import json

    page = open_pages(chromium, server)
    page.goto(f"{evil.replace('127.0.0.1', name)}/#{server.origin}")
    page.wait_for_function("document.title.startsWith('{')")
    found = json.loads(page.title())
    assert found["read"] == "refused"
    assert found["events"] == "refused"
    assert found["script"] == "refused"
    assert found["blind"] in ("refused", "opaque")
    page.evaluate(
        """address => {
            const form = document.forms[0];
            form.action = address;
            form.innerHTML = '<input name="document" value="{}"><input name="csrf" value="x">';
            form.submit();
        }""",
        f"{server.origin}/documents/validation",
    )
    page.get_by_text("comes from another site").wait_for()


def test_a_name_that_was_made_to_lead_here_is_refused(chromium: Any, server: Server) -> None:
    page = open_pages(chromium, server)
    for path in ("/runs", server.entrance):
        answer = page.goto(f"http://evil.example:{server.port}{path}")
        assert answer.status == 421
        assert "set-cookie" not in answer.headers
    framed = chromium.new_context().new_page()
    framed.goto("about:blank")
    framed.set_content(f'<iframe src="{server.address}"></iframe>')
    framed.wait_for_timeout(500)
    inside = framed.frames[1]
    assert "Show the runs" not in (inside.content() if inside.url.startswith("http:") else "")
