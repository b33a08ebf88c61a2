"""From what a member says to a request: defaults by model, LoRA tags, and names that are nearly right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.composer import Composer
from bot.config import Config
from generation.errors import BadRequest
from generation.request import Lora
from tests.painter import CARD

TURBO = replace(CARD, name="turbo", native=512, steps=1, guidance=0.0, sampler="euler")


@pytest.fixture
def composer(tmp_path: Path) -> Composer:
    (tmp_path / "Ink Lines.safetensors").touch()
    config = Config(loras=str(tmp_path), dream={"steps": 12, "guidance": 5.0, "sampler": "unipc"})
    return Composer(lambda: config, lambda: CARD, {"turbo": TURBO})


def test_the_owner_s_defaults_are_meant_for_the_model_in_service(composer: Composer) -> None:
    own, other = composer.compose("a cat"), composer.compose("a cat", model="turbo")
    assert (own.model, own.width, own.steps, own.guidance, own.sampler) == ("starter", 256, 12, 5.0, "unipc")
    assert (other.model, other.width, other.steps, other.guidance, other.sampler) == ("turbo", 512, 1, 0.0, "euler")


def test_an_unknown_model_names_the_nearest(composer: Composer) -> None:
    with pytest.raises(BadRequest, match="no model called “turboo” here; did you mean “turbo”"):
        composer.compose("a cat", model="turboo")
    with pytest.raises(BadRequest, match="choose one of starter, turbo"):
        composer.compose("a cat", model="../../etc/passwd")


def test_lora_tags_leave_the_prompt_and_take_the_name_of_their_file(composer: Composer) -> None:
    request = composer.compose("a cat <lora:ink lines:0.8> at night", style="ink")
    assert request.loras == (Lora("Ink Lines", 0.8),)
    assert "lora" not in request.prompt
    assert "at night, ink drawing" in request.prompt


def test_an_unknown_lora_names_the_nearest(composer: Composer) -> None:
    with pytest.raises(BadRequest, match="did you mean “Ink Lines”"):
        composer.compose("a cat <lora:ink line:1>")


def test_a_prompt_of_nothing_but_tags_is_empty(composer: Composer) -> None:
    with pytest.raises(BadRequest, match="prompt is empty"):
        composer.compose("<lora:Ink Lines:1>")


def test_a_picture_stays_with_its_model_while_that_is_there(composer: Composer) -> None:
    request = composer.compose("a cat", model="turbo")
    assert composer.vary(request, 0).model == composer.again(request).model == "turbo"
    gone = replace(request, model="no longer there")
    assert composer.vary(gone, 0).model == composer.again(gone).model == "starter"


@pytest.mark.parametrize(
    ("sampler", "words"),
    [
        ("eulr", "did you mean euler"),
        ("PNDM", "remembers more"),
        ("DPM++ 2M", "did you mean dpmpp_2m"),
        ("zzz", "choose"),
    ],
)
def test_an_unknown_sampler_says_why_or_names_the_nearest(composer: Composer, sampler: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        composer.compose("a cat", sampler=sampler)
