"""The page in a real Chromium, against the real server and an application in unmodified discord.py."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.playground import ids
from tests.bot.playground.page_bot import picture
from tests.bot.playground.page_studio import Studio, chromium, open_studio

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(chromium() is None, reason="no chromium on this machine"),
]
expect.set_options(timeout=5000)
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio() -> AsyncIterator[Studio]:
    async with open_studio() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=flags)
        yield browser
        await browser.close()


async def visit(browser: Browser, studio: Studio, *, person: str = "Ada", width: int = 1280) -> tuple[Page, list[str]]:
    context = await browser.new_context(viewport={"width": width, "height": 760}, reduced_motion="reduce")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda entry: complaints.append(entry.text) if entry.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{studio.origin}/#as={studio.ids[person]}&channel=art")
    await expect(page.get_by_role("textbox", name="Message #art")).to_be_focused()
    return page, complaints


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, studio: Studio) -> AsyncIterator[Page]:
    """Ada's client. Whatever a test does, the page must not complain, save of what the server refused."""
    page, complaints = await visit(browser, studio)
    yield page
    await page.context.close()
    assert [complaint for complaint in complaints if not REFUSED.match(complaint)] == []


async def send(page: Page, line: str) -> None:
    await page.get_by_role("textbox", name=re.compile("^Message ")).focus()
    await page.keyboard.type(line)
    await page.keyboard.press("Enter")


def last(page: Page) -> Locator:
    return page.locator("[data-message-id]").last


async def test_a_command_is_typed_sent_and_shown(page: Page) -> None:
    await send(page, "/dream a red house under a starry night sky")
    picture_link = last(page).get_by_role("link", name="Picture: a red house under a starry night sky")
    await expect(picture_link).to_be_visible()
    await expect(last(page)).to_contain_text("Ada used /dream")
    await expect(last(page)).to_contain_text("a red house under a starry night sky")
    await expect(last(page).get_by_role("button", name="Recipe")).to_be_enabled()
    await expect(last(page).get_by_role("button", name="Not now")).to_be_disabled()
    await expect(page.get_by_role("textbox", name="Message #art")).to_be_focused()


async def test_the_old_picture_stays_until_the_new_one_has_loaded(page: Page) -> None:
    await send(page, "/dream slowly emerging")
    await expect(last(page).locator(".frame-image").first).to_be_visible()
    fewest = await last(page).evaluate(
        """async (message) => {
          let fewest = 99;
          const done = () => message.querySelector('.frame-open')?.getAttribute('aria-label').includes('slowly');
          for (let frame = 0; frame < 240 && !done(); frame += 1) {
            await new Promise(requestAnimationFrame);
            fewest = Math.min(fewest, message.querySelectorAll('.frame-image').length);
          }
          for (let frame = 0; frame < 20; frame += 1) {
            await new Promise(requestAnimationFrame);
            fewest = Math.min(fewest, message.querySelectorAll('.frame-image').length);
          }
          return fewest;
        }"""
    )
    assert fewest >= 1


async def test_options_by_keyboard_choices_and_autocompletion(page: Page) -> None:
    await page.keyboard.type("/dre")
    await expect(page.get_by_role("listbox", name="Commands").get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Tab")
    await page.keyboard.type("a fox")
    await page.keyboard.press("Tab")
    await page.keyboard.type("aspect:")
    values = page.get_by_role("listbox", name="Values")
    await expect(values.get_by_role("option")).to_have_text(["Square", "Wide"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.type("style:wat")
    await expect(values.get_by_role("option")).to_have_text(["watercolour"])
    await page.keyboard.press("Tab")
    await page.keyboard.type("count:3")
    await page.keyboard.press("Enter")
    await expect(last(page)).to_contain_text("aspect wide, style watercolour, count 3")


async def test_a_number_out_of_range_is_told_before_anything_is_sent(page: Page) -> None:
    await page.keyboard.type("/dream a fox")
    await page.keyboard.press("Tab")
    await page.keyboard.type("count:9")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Must be between 1 and 4.")).to_be_visible()
    await expect(page.get_by_role("textbox", name="count")).to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("textbox", name="Message #art")).to_be_focused()


async def test_a_required_option_must_be_given(page: Page) -> None:
    await page.keyboard.type("/dream ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This option is required")).to_be_visible()
    await page.keyboard.press("Backspace")
    await expect(page.get_by_role("textbox", name="Message #art")).to_have_value("/dream")


async def test_an_attachment_option_takes_a_file(page: Page) -> None:
    await page.keyboard.type("/dream a fox")
    await page.keyboard.press("Tab")
    await page.keyboard.type("image:")
    content = picture("x.png", "teal", size=40).fp.read()
    await page.get_by_label("File for image").set_input_files(
        {"name": "start.png", "mimeType": "image/png", "buffer": content}
    )
    await page.keyboard.press("Enter")
    await expect(last(page)).to_contain_text("start start.png 40x40")


async def test_a_modal_checks_then_submits(page: Page) -> None:
    await send(page, "/dream for the form")
    await last(page).get_by_role("button", name="Edit and run").click()
    form = page.get_by_role("dialog", name="Edit and run")
    await expect(form.get_by_role("textbox", name="Prompt")).to_be_focused()
    await page.keyboard.type("x")
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_text("Write at least 3 characters; this is 1.")).to_be_visible()
    await form.get_by_role("textbox", name="Prompt").fill("a fox")
    await expect(form.get_by_text("Write at least 3 characters")).to_have_count(0)
    await form.get_by_role("combobox", name="Sampler").click()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await form.get_by_role("radio", name="Wide").check()
    await form.get_by_role("checkbox", name="Frame").check()
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_have_count(0)
    await expect(last(page)).to_contain_text("form: ['a fox', ['DDIM'], 'Wide', ['Frame']]")


async def test_escape_closes_a_modal_and_gives_the_focus_back(page: Page) -> None:
    await send(page, "/dream for escape")
    button = last(page).get_by_role("button", name="Edit and run")
    await button.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(button).to_be_focused()


async def test_an_ephemeral_answer_is_dismissed(page: Page) -> None:
    await send(page, "/dream for the recipe")
    await last(page).get_by_role("button", name="Recipe").click()
    await expect(last(page)).to_contain_text("seed 16, 20 steps")
    await expect(last(page)).to_contain_text("Only you can see this")
    dismissed = page.locator(f'[data-message-id="{await last(page).get_attribute("data-message-id")}"]')
    await last(page).get_by_role("button", name="Dismiss message").click()
    await expect(dismissed).to_have_count(0)
    await page.reload()
    await expect(last(page)).to_contain_text("for the recipe")


async def test_a_select_menu_is_used_by_keyboard(page: Page) -> None:
    await send(page, "/dream for the select")
    await last(page).get_by_role("combobox", name="Which one wins?").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(last(page)).to_contain_text("chosen: ['Fish']")


async def test_context_menus_on_messages_and_people(page: Page) -> None:
    await send(page, "/dream for the menus")
    await expect(last(page).get_by_role("link", name="Picture: for the menus")).to_be_visible()
    await last(page).focus()
    await page.keyboard.press("Shift+F10")
    for key in ("ArrowRight", "Enter"):
        await page.keyboard.press(key)
    await expect(last(page)).to_contain_text("1 picture(s)")
    await page.get_by_role("complementary", name="People").get_by_text("Ben").click(button="right")
    await page.get_by_role("menuitem", name="Apps").click()
    await page.get_by_role("menuitem", name="Pictures of this person").click()
    await expect(last(page)).to_contain_text("nothing yet by ben")


async def test_own_messages_are_sent_with_files_and_deleted(page: Page) -> None:
    content = picture("x.png", "teal", size=40).fp.read()
    await page.get_by_label("Files", exact=True).set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": content}
    )
    await expect(page.get_by_role("list", name="Files to send")).to_contain_text("mine.png")
    await send(page, "**mine** and ~~not~~ `yours`")
    await expect(last(page).get_by_role("link", name="Picture mine.png")).to_be_visible()
    await expect(last(page).locator("strong", has_text="mine")).to_be_visible()
    sent = page.locator(f'[data-message-id="{await last(page).get_attribute("data-message-id")}"]')
    await last(page).click(button="right", position={"x": 500, "y": 8})
    await page.get_by_role("menuitem", name="Delete message").click()
    await expect(sent).to_have_count(0)


async def test_the_lightbox_leafs_by_arrows_and_closes_by_escape(page: Page) -> None:
    await send(page, "/wall ")
    await expect(last(page).get_by_role("heading", name="Picture of the day")).to_be_visible()
    await last(page).get_by_role("link", name="Picture: a red square").click()
    box = page.get_by_role("dialog", name="Picture")
    await expect(box.get_by_role("img", name="a red square")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(box.get_by_role("img", name="a blue square")).to_be_visible()
    await expect(box).to_contain_text("2 of 2")
    await page.keyboard.press("Escape")
    await expect(box).to_be_hidden()


async def test_spoilers_stay_covered_until_asked_for(page: Page) -> None:
    await send(page, "/hidden ")
    cover = last(page).get_by_role("button", name=re.compile("Show the hidden picture"))
    await cover.press("Enter")
    await expect(cover).to_have_count(0)
    await expect(last(page).locator(".frame")).not_to_have_class(re.compile("is-hidden"))
    await last(page).get_by_role("button", name="Spoiler, hidden. Show it").click()
    await expect(last(page).locator(".spoiler")).to_have_class(re.compile("is-shown"))


async def test_the_age_gate_stands_before_the_first_look(page: Page) -> None:
    channels = page.get_by_role("navigation")
    await channels.get_by_role("button", name="#art-adults, age-restricted").click()
    gate = page.get_by_role("region", name="Age-restricted channel")
    await expect(gate.get_by_role("heading")).to_be_focused()
    await expect(page.get_by_role("list", name=re.compile("Messages in"))).to_be_hidden()
    await gate.get_by_role("button", name="I am 18 or older").click()
    await expect(page.get_by_role("textbox", name="Message #art-adults")).to_be_focused()
    await channels.get_by_role("button", name="#art", exact=True).click()
    await channels.get_by_role("button", name="#art-adults, age-restricted").click()
    await expect(gate).to_be_hidden()


async def test_markup_in_names_texts_and_files_stays_text(page: Page) -> None:
    await send(page, "/hostile ")
    await expect(last(page)).to_contain_text("<script>document.title=2</script>")
    await expect(last(page).locator(".embed")).to_contain_text("<b>bold</b>")
    for forbidden in ("script", "img[src=x]", ".prose b", "[onerror]", "a[href^=javascript]"):
        assert await last(page).locator(forbidden).count() == 0
    await send(page, "<b>Ada</b> [a](javascript:alert(1)) [b](https://example.com/)")
    await expect(last(page)).to_contain_text("<b>Ada</b> [a](javascript:alert(1)) b")
    link = last(page).get_by_role("link", name="b", exact=True)
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    assert await page.title() not in ("1", "2")


async def test_silence_is_told_in_red(page: Page, studio: Studio) -> None:
    await send(page, "/silent ")
    await expect(page.get_by_text("Sending command…")).to_be_visible()
    studio.playground.parts.clock.advance(3)
    failure = page.get_by_role("alert").filter(has_text="The application did not respond")
    await expect(failure).to_be_visible()
    await failure.get_by_role("button", name="Dismiss").click()
    await expect(failure).to_have_count(0)


async def test_others_see_what_is_for_all_and_moderators_more(page: Page, browser: Browser, studio: Studio) -> None:
    milo, complaints = await visit(browser, studio, person="Milo")
    await send(page, "hello from Ada")
    await expect(last(milo)).to_contain_text("hello from Ada")
    await expect(milo.get_by_role("navigation").get_by_role("button", name="#mods")).to_be_visible()
    await expect(page.get_by_role("navigation").get_by_role("button", name="#mods")).to_have_count(0)
    await last(milo).click(button="right", position={"x": 500, "y": 8})
    await milo.get_by_role("menuitem", name="Delete message").click()
    await expect(page.get_by_text("hello from Ada")).to_have_count(0)
    await milo.context.close()
    assert complaints == []


async def test_one_becomes_someone_else_without_leaving(page: Page, studio: Studio) -> None:
    await page.get_by_role("button", name=re.compile("You are Ada")).click()
    await page.get_by_role("menuitemradio", name="Milo").click()
    await expect(page.get_by_role("button", name=re.compile("You are Milo"))).to_be_visible()
    assert f"as={studio.ids['Milo']}" in page.url


async def test_phone_width_has_no_sideways_scrolling(browser: Browser, studio: Studio) -> None:
    page, complaints = await visit(browser, studio, width=360)
    await send(page, "/dream " + "averylongwordwithoutanyspace" * 6)
    await expect(last(page).get_by_role("button", name="Recipe")).to_be_visible()
    await send(page, "/wall ")
    await expect(last(page).get_by_role("button", name="Vote")).to_be_visible()
    widths = await page.evaluate(
        "[document.documentElement.scrollWidth, document.getElementById('scroller').scrollWidth]"
    )
    assert widths == [360, 360]
    await page.get_by_role("button", name="Open the channel list").click()
    await page.get_by_role("navigation").get_by_role("button", name="#art-adults, age-restricted").click()
    await expect(page.get_by_role("region", name="Age-restricted channel")).to_be_visible()
    await page.context.close()
    assert complaints == []


async def test_what_was_said_in_a_gap_is_there_after_it(page: Page, studio: Studio) -> None:
    await send(page, "before the gap")
    await expect(last(page)).to_contain_text("before the gap")
    bar = page.locator("#connection", has_text="Reconnecting…")
    watch = "bar => new MutationObserver(() => { bar.dataset.seen = 1 }).observe(bar, {attributeFilter: ['hidden']})"
    await bar.evaluate(watch)
    studio.hang_up()
    studio.say("Ben", "said in the gap")
    await expect(last(page)).to_contain_text("said in the gap")
    await expect(bar).to_be_hidden()
    await expect(bar).to_have_attribute("data-seen", "1")
    studio.say("Ben", "and after it")
    await expect(last(page)).to_contain_text("and after it")


async def test_a_reply_names_what_it_answers(page: Page, studio: Studio) -> None:
    studio.say("Ben", "who paints tonight?")
    await expect(last(page)).to_contain_text("who paints tonight?")
    await last(page).focus()
    await page.keyboard.press("Shift+F10")
    await page.get_by_role("menuitem", name="Reply").press("Enter")
    await expect(page.get_by_text("Replying to Ben")).to_be_visible()
    await page.keyboard.type("me, @ben")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await expect(last(page).get_by_role("button", name=re.compile("Ben who paints tonight"))).to_be_visible()
    await expect(last(page).locator(".mention")).to_have_text("@Ben")


async def test_the_address_of_a_message_leads_to_it(page: Page, studio: Studio) -> None:
    studio.say("Ben", "the one that is meant")
    meant = page.locator("li.message", has_text="the one that is meant")
    number = await meant.get_attribute("data-message-id")
    studio.say("Ben", f"see https://discord.com/channels/{ids.GUILD_ID}/{ids.ART_ID}/{number}")
    await page.get_by_role("button", name="#art › message").click()

    await expect(meant).to_be_focused()
