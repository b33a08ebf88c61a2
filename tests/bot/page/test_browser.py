"""Moderators' page in a real Chromium: sign in, lint and add a rule, change the policy; narrow and dark.

With ATELIER_SCREENSHOTS set to a folder, every chapter is photographed into it.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, async_playwright, expect

from bot.moderation.artists import Artist
from bot.moderation.entries import Entry
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.page.chapters import CHAPTERS
from bot.page.signin import PACE
from bot.playground import ids
from bot.review.case import Ruling
from bot.review.rules import ReviewRules
from bot.review.standing import deed_of
from bot.store.audit import Act
from bot.store.cases import Filter
from generation.safety.level import Level
from tests.bot.page.office import HOME, Office, open_office
from tests.bot.playground.page_studio import chromium
from tests.bot.store.past import write_past
from tests.gated import GatedPainter, Scripted

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(chromium() is None, reason="no chromium on this machine"),
]
expect.set_options(timeout=5000)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
LONG = "a quiet harbour before sunrise, " * 6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    painter = GatedPainter(Scripted(Level.NEUTRAL, Level.NEUTRAL, Level.LOW, Level.NEUTRAL, Level.HIGH))
    async with open_office(tmp_path_factory.mktemp("office"), painter) as opened:
        await opened.bot.house.studio.policies.change(ids.GUILD_ID, {"level": 1, "spoiler_from": 1}, ids.OLIVIA_ID)
        asked = (
            (ids.ADA_ID, "a red house under a starry night sky"),
            (ids.BEN_ID, "a greenhouse full of oranges"),
            (ids.ADA_ID, "a lighthouse in a storm"),
            (ids.CLEO_ID, LONG.strip()),
            (ids.DANA_ID, "something withheld"),
        )
        for number, (person, prompt) in enumerate(asked, 1):
            await opened.town.invoke(person, "dream", prompt=prompt)
            await opened.town.until(lambda number=number: settled(opened, number))
        desk = opened.bot.house.desk
        await moderated(opened)
        await write_past(desk.jobs._database, ids.GUILD_ID, time.time(), days=29, per_day=30)
        yield opened


async def moderated(office: Office) -> None:
    """Warnings, a pause, artists, a request and rules of every kind, with words of every length."""
    desk, studio, standing = office.bot.house.desk, office.bot.house.studio, office.bot.client.review.standing
    rules = ReviewRules(pause_at=2)
    for reason in ("Please keep it friendly.", LONG.strip()):
        await desk.strikes.warn(deed_of(ids.GUILD_ID, ids.OLIVIA_ID, Act.WARNED, ids.ADA_ID, reason), rules)
    await standing.ban(deed_of(ids.GUILD_ID, ids.OLIVIA_ID, Act.BANNED, ids.BEN_ID, "Enough for now."), None)
    await studio.rules.add_artist(ids.GUILD_ID, Artist("Wilma Quandel", surname=True), ids.OLIVIA_ID)
    for name, relation in (("Jane Doe", "I am the artist."), ("Rob Roe", LONG)):
        await desk.artists.ask(ids.GUILD_ID, name, "https://art.example/about", relation, ids.CLEO_ID)
    scoped = Scope(ids.ART_ID, ids.MODERATORS_ROLE_ID)
    entries = [Entry("penguin", Decision.REVIEW, scoped, "en"), Entry("near:one, other", Decision.SHADOW)]
    await studio.rules.put(ids.GUILD_ID, [*entries, Entry("pelican")], ids.OLIVIA_ID)
    await studio.rules.set_exempt(ids.GUILD_ID, [ids.BOOSTERS_ROLE_ID], ids.OLIVIA_ID, exempt=True)
    await office.town.invoke(ids.CLEO_ID, "dream", prompt="a pelican")
    await office.town.told(ids.CLEO_ID, "filter does not allow")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        await browser.close()


async def settled(office: Office, number: int) -> bool:
    counts = await office.bot.house.desk.jobs.counts()
    return counts.get("posted", 0) + counts.get("blocked", 0) == number


class Visitor:
    """A page and whatever it complained of."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.complaints: list[str] = []
        page.on("console", lambda entry: self.complaints.append(entry.text) if entry.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def photograph(self, what: str) -> None:
        if folder := os.environ.get("ATELIER_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            await self.page.screenshot(path=Path(folder) / f"page-{what}-{self.name}.png", full_page=True)

    async def fits(self) -> None:
        """Nothing is wider than the window."""
        sizes = await self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert sizes[0] <= sizes[1], (self.page.url, sizes)


async def visit(
    browser: Browser,
    office: Office,
    *,
    width: int = 1280,
    scheme: Literal["light", "dark"] = "light",
    person: str = "Milo",
    scripts: bool = True,
) -> Visitor:
    """Somebody signs in, by hand."""
    office.watch.now += PACE.burst * PACE.interval
    size = {"width": width, "height": 800}
    context = await browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=scripts)
    visitor = Visitor(await context.new_page(), f"{width}-{scheme}")
    page = visitor.page
    await page.goto(office.origin)
    await visitor.photograph("0-door")
    await page.get_by_role("link", name="Sign in with Discord").click()
    await expect(page.get_by_role("heading", name="Who would you like to be?")).to_be_visible()
    await visitor.photograph("0-consent")
    await page.get_by_role("button", name=re.compile(f"^{person}")).click()
    return visitor


async def test_a_rule_is_added_while_the_linter_answers(browser: Browser, office: Office) -> None:
    visitor = await visit(browser, office)
    page = visitor.page
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert page.url == office.origin + HOME
    await page.get_by_role("link", name="Filter").click()
    field = page.get_by_role("textbox", name="Rule")
    await expect(page.get_by_role("button", name="Check first")).to_be_hidden()
    await field.press_sequentially("*house*", delay=20)
    findings = page.locator("#findings")
    await expect(findings).to_contain_text("*house* would hit", timeout=15_000)
    await expect(findings.get_by_text("a greenhouse full of oranges")).to_be_visible()
    await expect(findings.get_by_text("a quiet harbour")).to_have_count(0)
    await visitor.photograph("filter-linter")
    await field.fill("re:(")
    await expect(findings.locator(".problem")).to_be_visible(timeout=15_000)
    await field.fill("*house*")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("status").first).to_have_text("Added: *house*")
    assert office.bot.house.studio.rules.entries(ids.GUILD_ID)[-1].line == "*house*"
    await page.get_by_role("textbox", name="Prompt").fill("a small greenh0use, please")
    await page.get_by_role("button", name="Try").click()
    await expect(page.locator("mark")).to_have_text("h0use")
    await visitor.photograph("filter-tried")
    await page.get_by_role("button", name="Remove the rule *house*").click()
    await expect(page.get_by_role("status").first).to_have_text("Removed: *house*")
    assert [each for each in visitor.complaints if "400" not in each] == []  # the rule that cannot be read
    await page.context.close()


async def test_the_policy_is_changed_and_somebody_signs_out(browser: Browser, office: Office) -> None:
    visitor = await visit(browser, office, person="Olivia")
    page, book = visitor.page, office.bot.house.studio.policies
    await page.get_by_role("link", name="Policy").click()
    whole = page.get_by_role("region", name="The whole server")
    await whole.get_by_label("Age-restricted channels show up to").select_option("2")
    await whole.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved")
    assert book.settings(ids.GUILD_ID)["restricted_level"] == 2
    other = page.get_by_role("region", name="A channel that differs")
    await other.get_by_label("Channel", exact=True).select_option(label="#art")
    await other.get_by_label("Ordinary channels show up to").select_option("0")
    await other.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("region", name="#art")).to_be_visible()
    assert book.settings(ids.GUILD_ID, ids.ART_ID) == {"level": 0}
    await visitor.photograph("policy-channel")
    await page.get_by_role("button", name="Follow the server again").click()
    await expect(page.get_by_role("region", name="#art")).to_have_count(0)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in with Discord")).to_be_visible()
    await page.goto(office.origin + HOME)
    await expect(page.get_by_role("link", name="Sign in with Discord")).to_be_visible()
    assert visitor.complaints == []
    await page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
async def test_every_chapter_fits_and_complains_of_nothing(
    browser: Browser, office: Office, width: int, scheme: Literal["light", "dark"]
) -> None:
    visitor = await visit(browser, office, width=width, scheme=scheme)
    page = visitor.page
    await office.bot.house.studio.rules.add(ids.GUILD_ID, "review:zebra", ids.MILO_ID)
    for chapter in CHAPTERS:
        await page.goto(office.origin + chapter.address(ids.GUILD_ID))
        await expect(page.get_by_role("heading", level=1)).to_have_text(chapter.title)
        await expect(page.get_by_role("link", name=chapter.title, exact=True)).to_have_attribute("aria-current", "page")
        broken = "[...document.images].filter((image) => image.complete && !image.naturalWidth).length"
        assert await page.evaluate(broken) == 0
        await visitor.fits()
        await visitor.photograph(chapter.slug or "overview")
    await page.goto(f"{office.origin}{HOME}/pictures")
    await page.locator(".tile a").first.click()
    await visitor.fits()
    await visitor.photograph("picture")
    assert visitor.complaints == []
    await page.context.close()


async def test_a_file_of_rules_is_taken_in(browser: Browser, office: Office) -> None:
    visitor = await visit(browser, office)
    page = visitor.page
    await page.get_by_role("link", name="Filter").click()
    file = FilePayload(name="rules.txt", mimeType="text/plain", buffer=b"review:toucan\nnear:sea, gull\n")
    await page.get_by_label("Take in a file").set_input_files(files=[file])
    await page.get_by_role("button", name="Take in", exact=True).click()
    await expect(page.get_by_role("status").first).to_contain_text("Rules taken in: 2.")
    lines = [entry.line for entry in office.bot.house.studio.rules.entries(ids.GUILD_ID)]
    assert {"review:toucan", "near:sea, gull"} <= set(lines)
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Save as a file").click()
    saved = json.loads(Path(await (await started.value).path()).read_text())
    assert {"rule": "toucan", "severity": "review"} in saved["rules"]
    assert visitor.complaints == []
    await page.context.close()


async def test_without_scripts_the_linter_has_a_button(browser: Browser, office: Office) -> None:
    visitor = await visit(browser, office, scripts=False)
    page = visitor.page
    await page.get_by_role("link", name="Filter").click()
    await page.get_by_role("textbox", name="Rule").fill("light*")
    await page.get_by_role("button", name="Check first").click()
    await expect(page.locator("#findings")).to_contain_text("a lighthouse in a storm")
    assert "light*" not in [entry.line for entry in office.bot.house.studio.rules.entries(ids.GUILD_ID)]
    await page.context.close()


async def test_somebody_who_is_no_moderator_reads_a_kind_sentence(browser: Browser, office: Office) -> None:
    visitor = await visit(browser, office, person="Ada")
    await expect(visitor.page.get_by_text("people who may manage a server")).to_be_visible()
    await visitor.photograph("0-nothing")
    await visitor.page.get_by_role("link", name="To the first page").click()
    await expect(visitor.page.get_by_role("link", name="Sign in with Discord")).to_be_visible()
    await visitor.page.context.close()


async def test_a_case_is_decided_and_stands_in_the_log(browser: Browser, office: Office) -> None:
    visitor = await visit(browser, office)
    page, desk = visitor.page, office.bot.house.desk
    await page.get_by_role("link", name="Review", exact=True).click()
    case = page.get_by_role("article", name=re.compile("^Case"))
    await expect(case).to_have_count(1)
    await expect(case).to_contain_text("something withheld")
    await expect(case).to_contain_text("scripted high")
    await case.get_by_role("button", name=re.compile("^Time out")).scroll_into_view_if_needed()
    await case.get_by_label("Hours of a time-out").fill("never")
    await case.get_by_label("Reason").fill("Not in this server.")
    await case.get_by_role("button", name=re.compile("^Time out")).click()
    await expect(page.get_by_role("alert")).to_contain_text("at most 672 hours")
    await expect(page.get_by_label("Reason")).to_have_value("Not in this server.")
    await page.get_by_role("button", name=re.compile("^Warn")).click()
    await expect(page.get_by_role("status")).to_contain_text("removed, with a warning")
    await expect(page.get_by_text("Nothing waits for a decision.")).to_be_visible()
    (decided,) = await desk.cases.decided_in(ids.GUILD_ID, Filter(), 9)
    assert (decided.ruling, decided.ruled_by, decided.reason) == (Ruling.WARN, ids.MILO_ID, "Not in this server.")
    await page.get_by_role("link", name="What was decided").click()
    await visitor.photograph("review-decided")
    await page.get_by_label("Decision", exact=True).select_option("approve")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("No such case was decided.")).to_be_visible()
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.get_by_role("listitem").filter(has_text="warned, and removed a picture")).to_contain_text("Milo")
    await page.get_by_role("link", name=f"case {decided.id}").first.click()
    await visitor.photograph("review-case")
    assert visitor.complaints == []
    await page.context.close()
