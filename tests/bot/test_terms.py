"""A model with rules: asked once, kindly, and the very same request goes on, also after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.terms import Terms, models_text, terms_text
from cogs.models import pages
from generation.licences import OPENRAIL_M
from generation.models import describe
from tests.bot.town import ADA, BEN, EPHEMERAL, Town, labels, open_bot, open_both, open_town
from tests.house import open_house
from tests.painter import CARD, Painter

RULES = {"licences": {"starter": "openrail-m"}}


async def _asked(town: Town, person: int = ADA, number: int = 1) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = [m for m in await town.messages(person) if "One thing before your first picture" in m["content"]]
        return found[-1] if len(found) >= number else None

    found: dict[str, Any] = await town.until(look)
    return found


async def test_agreeing_goes_on_with_the_same_request_and_is_asked_once(tmp_path: Path) -> None:
    async with open_both(tmp_path, **RULES) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a lighthouse", seed=7, steps=5)
        asked = await _asked(town)
        assert asked["flags"] & EPHEMERAL
        assert "CreativeML OpenRAIL-M" in asked["content"]
        assert "own summary" in asked["content"]
        assert labels(asked) == ["I agree"]
        assert await town.messages(BEN) == [], "nobody else sees anything of it"
        assert await bot.has()

        await town.click(ADA, asked, "I agree")
        result = await town.result()
        assert "**a lighthouse**" in result["content"]
        assert "seed 7" in result["content"]
        assert "5 steps" in result["content"]
        thanks = await town.told(ADA, "Thank you, noted")
        assert (thanks["id"], labels(thanks)) == (asked["id"], [])

        await town.invoke(ADA, "dream", prompt="a second one")
        await town.result(2)
        assert len([m for m in await town.messages(ADA) if "One thing before" in m["content"]]) == 0


async def test_buttons_ask_too_and_only_the_person_asked_can_agree(tmp_path: Path) -> None:
    async with open_both(tmp_path, **RULES) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree", private=True)
        asked = await _asked(town)
        await town.click(ADA, asked, "I agree")
        private = await town.told(ADA, "AI-generated")
        assert private["flags"] & EPHEMERAL, "private stays private"

        await town.invoke(ADA, "dream", prompt="an oak")
        result = await town.result(2)
        await town.click(BEN, result, "V1")
        asked = await _asked(town, BEN)
        await town.click(BEN, asked, "I agree")
        assert "Variations of picture 1" in (await town.result(3))["content"]
        await town.until(lambda: bot.has(posted=3))


async def test_pressing_twice_makes_one_picture(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, **RULES) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        asked = await _asked(town)
        painter.hold.clear()
        await town.click(ADA, asked, "I agree")
        await town.click(ADA, asked, "I agree")
        await town.told(ADA, "no longer waiting")
        painter.hold.set()
        await town.result()
        await town.until(lambda: bot.has(posted=1))

        assert len(painter.painted) == len(await town.results()) == 1


async def test_an_answer_that_is_lost_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(0.05), **RULES) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a well")
        asked = await _asked(town)
        await town.breaks("status", method="POST", path="/webhooks/**", status=502, executed=True, count=2)
        await town.click(ADA, asked, "I agree")
        await town.until(lambda: bot.has(posted=1))

        [result] = await town.messages(BEN)
        assert "AI-generated" in result["content"]


async def test_a_restart_in_between_loses_nothing_and_another_version_asks_again(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path, **RULES):
            await town.invoke(ADA, "dream", prompt="a bridge", seed=3)
            asked = await _asked(town)
        async with open_bot(town, tmp_path, **RULES):
            await town.breaks("expire_tokens")
            await town.click(ADA, asked, "I agree")
            assert "seed 3" in (await town.result())["content"]
        newer = {"licences": {"starter": {"name": "openrail-m", "version": "2027"}}}
        async with open_bot(town, tmp_path, **newer):
            await town.invoke(ADA, "dream", prompt="again")
            assert "version 2027" in (await _asked(town))["content"]


async def test_a_refusal_after_agreeing_leaves_the_button(tmp_path: Path) -> None:
    limits = {"member": {"burst": 100, "per_hour": 100, "daily": 1000, "waiting": 1}}
    painter = Painter()
    async with open_both(tmp_path, painter, limits=limits, **RULES) as (town, _):
        await town.invoke(ADA, "dream", prompt="first")
        await town.invoke(ADA, "dream", prompt="second")
        second = await _asked(town, number=2)
        first = next(m for m in await town.messages(ADA) if "One thing" in m["content"] and m["id"] != second["id"])
        painter.hold.clear()
        await town.click(ADA, first, "I agree")
        await town.told(ADA, "step 1 of 20")
        await town.click(ADA, second, "I agree")
        await town.told(ADA, "You already have 1 request in the line")
        painter.hold.set()
        await town.result()
        await town.click(ADA, second, "I agree")
        await town.result(2)

        assert sorted(job.request.prompt for job in painter.painted) == ["first", "second"]


async def test_the_starter_asks_for_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        assert not house.studio.terms.of("starter").restricted


async def test_models_are_shown_with_their_licences(tmp_path: Path) -> None:
    async with open_both(tmp_path, licences={"starter": {"name": "House Licence", "commercial": "no"}}) as (town, _):
        await town.invoke(ADA, "models")
        said = await town.told(ADA, "**starter**")
        assert said["flags"] & EPHEMERAL
        assert "House Licence; **no commercial use**" in said["content"]
        await town.invoke(ADA, "about")
        await town.told(ADA, "licence: House Licence")


async def test_what_is_said_of_licences(tmp_path: Path) -> None:
    async with open_house(tmp_path, models={"research": "stabilityai/sdxl-turbo", "odd": "a/b"}) as house:
        others = {name: describe(place) for name, place in house.studio.config.models.items()}
        text = models_text(Terms(house.studio.config, CARD, others, house.desk), "starter")
    lines = text.splitlines()
    assert lines[0].startswith("- **starter** (used when you choose none): MIT")
    assert "**no commercial use**" in lines[1]
    assert "rules that you agree to once" in lines[1]
    assert "ask the owner" in lines[2]
    assert len(terms_text("m" * 300, OPENRAIL_M)) < 2000


def test_many_models_are_several_messages() -> None:
    lines = [f"- **model {number}**: {'x' * 150}" for number in range(24)]
    cut = pages("\n".join(lines))
    assert len(cut) > 1
    assert all(0 < len(page) <= 2000 for page in cut)
    assert "\n".join(cut).splitlines() == lines
