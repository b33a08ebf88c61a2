"""A newcomer's first minute: start, open the page, type the command, see the picture appear, press V1."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.house import ROOT, free_port, running_bot

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
PROMPT = "a red house under a starry night sky"
SECONDS = 1000  # milliseconds

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

# Counts the different pictures that a page shows over time, so that a preview that is quickly replaced is seen too.
WATCH = """
window.seen = new Set();
const note = () => document.querySelectorAll('[data-message-id] img').forEach((image) => {
  if (image.complete && image.naturalWidth && /attachments/.test(image.currentSrc)) window.seen.add(image.currentSrc);
});
new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
document.addEventListener('load', note, true);
"""


def artefact(name: str) -> Path:
    folder = ROOT / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder / name


async def looks_like_a_picture(page: Page, image) -> None:
    """Neither missing nor black nor a plain surface."""
    assert await image.evaluate("image => image.complete && image.naturalWidth >= 256")
    shot = Image.open(io.BytesIO(await image.screenshot())).convert("RGB")
    assert len(shot.resize((32, 32)).getcolors(1024)) > 50


async def test_a_newcomers_first_minute(tmp_path):
    port = free_port()
    async with running_bot(tmp_path, "--port", str(port)) as bot, async_playwright() as playwright:
        line = await bot.said("Open http://")
        assert f"http://127.0.0.1:{port}/" in line
        await bot.ready()
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}/")
        await page.evaluate(WATCH)
        composer = page.get_by_role("textbox", name="Message #art")
        await expect(composer).to_be_focused()

        await page.keyboard.type(f"/dream {PROMPT}")
        await page.screenshot(path=artefact("1-typed.png"))
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-message-id] img").first).to_be_visible(timeout=10 * SECONDS)
        await page.screenshot(path=artefact("2-preview.png"))
        vary = page.get_by_role("button", name=re.compile("^V1"))
        await expect(vary).to_be_visible(timeout=30 * SECONDS)
        result = page.locator("[data-message-id]", has=vary).last
        await expect(result).to_contain_text(PROMPT)
        await expect(result).to_contain_text("AI-generated")
        picture = result.locator("img[alt*='AI-generated picture']").first
        await expect(picture).to_be_visible()
        await looks_like_a_picture(page, picture)
        await page.screenshot(path=artefact("3-picture.png"))
        assert len(await page.evaluate("[...window.seen]")) >= 2, "at least one preview came before the picture"

        await vary.click()
        grid = page.locator("img[alt*='4 AI-generated pictures']").first
        await expect(grid).to_be_visible(timeout=60 * SECONDS)
        await looks_like_a_picture(page, grid)
        await expect(page.get_by_role("button", name=re.compile("^U4"))).to_be_visible()
        await expect(page.get_by_text("thinking")).to_have_count(0, timeout=10 * SECONDS)
        await page.screenshot(path=artefact("4-variations.png"))
        assert complaints == []
        await browser.close()
        assert await bot.stop() == 0
