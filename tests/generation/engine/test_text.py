"""Encoded words: exact, in chunks, stressed, remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.engine import device, text, weights
from generation.engine.embeddings import Embeddings, Encoded
from generation.engine.model import Ask, LoadedModel
from generation.models import resolve
from generation.request import Lora

HOUSE = "a red house, "  # every word is one token, and so is the comma


def ask(prompt: str, negative: str = "", **changes: Any) -> Ask:
    values: dict[str, Any] = {"width": 64, "height": 64, "guidance": 7.0, **changes}
    return Ask(prompt=prompt, negative=negative, **values)


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return weights.load(resolve("starter"), device.choose("cpu", "auto", 1))


@pytest.fixture
def starter(loaded: LoadedModel) -> LoadedModel:
    return replace(loaded, embeddings=Embeddings())


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> LoadedModel:
    return weights.load(resolve(str(tiny_model)), device.choose("cpu", "auto", 1))


@pytest.fixture
def calls(starter: LoadedModel) -> Any:
    """The row counts of every call of the text encoder."""
    encoder: Any = starter.text_encoders[0]
    seen: list[int] = []
    hook = encoder.register_forward_pre_hook(lambda _, args, kwargs: seen.append(len(args[0])), with_kwargs=True)
    yield seen
    hook.remove()


@pytest.mark.parametrize("prompt", ["a red house", "", "a smile :) (", "naïve 🎨 <|endoftext|> x", HOUSE * 18])
@pytest.mark.parametrize("negative", ["fog", ""])
def test_plain_prompts_are_read_exactly_as_the_library_reads_them(
    starter: LoadedModel, prompt: str, negative: str
) -> None:
    wording = starter.family.word(starter, ask(prompt, negative))
    with torch.inference_mode():
        positive, unwanted = starter.pipeline.encode_prompt(prompt, "cpu", 1, True, negative)
    assert wording.negative is not None
    assert torch.equal(wording.positive.hidden, positive[0])
    assert torch.equal(wording.negative.hidden, unwanted[0])
    assert wording.left_out == 0


def test_long_prompts_are_read_in_chunks(starter: LoadedModel) -> None:
    def hidden(prompt: str, negative: str = "") -> tuple[torch.Tensor, torch.Tensor]:
        wording = starter.family.word(starter, ask(prompt, negative))
        assert wording.negative is not None
        return wording.positive.hidden, wording.negative.hidden

    assert hidden(HOUSE)[0].shape == (77, 128)
    long, unwanted = hidden(HOUSE * 30, "fog")
    assert long.shape == unwanted.shape == (154, 128)
    tail = hidden(HOUSE * 29 + "a blue house, ", "fog")[0]
    assert torch.equal(long[:77], tail[:77])
    assert not torch.equal(long[77:], tail[77:])
    assert hidden(HOUSE * 300)[0].shape == (77 * text.MAX_CHUNKS, 128)
    assert starter.family.word(starter, ask(HOUSE * 300)).left_out == 1200 - 75 * text.MAX_CHUNKS


def test_a_negative_prompt_without_guidance_is_not_read(starter: LoadedModel) -> None:
    wording = starter.family.word(starter, ask(HOUSE, HOUSE * 30, guidance=1.0))
    assert wording.negative is None
    assert wording.positive.hidden.shape == (77, 128)


@pytest.mark.parametrize("prompt", ["🎨" * 200, "\u202eאבג" * 50, "\n\n```", "((((a:9))))" * 90, "a" * 1000])
def test_strange_prompts_are_encoded_to_finite_numbers(starter: LoadedModel, prompt: str) -> None:
    wording = starter.family.word(starter, ask(prompt, prompt))
    assert wording.negative is not None
    assert wording.positive.hidden.isfinite().all()
    assert torch.equal(wording.positive.hidden, wording.negative.hidden)


def test_stress_multiplies_the_states_of_its_words_alone(starter: LoadedModel) -> None:
    plain = starter.family.word(starter, ask("a red house")).positive.hidden
    heavy = starter.family.word(starter, ask("a (red:1.5) house")).positive.hidden
    expected = plain.clone()
    expected[2] *= 1.5  # after the start token and "a"
    ratio = expected.mean(), plain.mean()
    if 0.5 < float(ratio[1] / ratio[0]) < 2:
        expected *= ratio[1] / ratio[0]
    assert torch.allclose(heavy, expected, atol=1e-5)
    assert not torch.equal(heavy, plain)


def test_the_mean_of_a_stressed_chunk_is_restored() -> None:
    states = torch.randn(77, 8, generator=torch.Generator().manual_seed(1)) + 0.5
    heavy = text._stressed(Encoded(states), (1.0, 1.4, *[1.0] * 75)).states
    assert float(heavy.mean()) == pytest.approx(float(states.mean()), rel=1e-5)
    assert torch.allclose(heavy[1] / heavy[0], 1.4 * states[1] / states[0], rtol=1e-4)
    around_zero = states - states.mean()
    heavy = text._stressed(Encoded(around_zero), (1.0, 1.4, *[1.0] * 75)).states
    assert torch.equal(heavy[0], around_zero[0])  # no division by almost nothing


def test_escaped_brackets_and_brackets_of_weight_one_change_nothing(starter: LoadedModel) -> None:
    word = starter.family.word
    assert torch.equal(
        word(starter, ask(r"a \(red\) house")).positive.hidden,
        starter.pipeline.encode_prompt("a (red) house", "cpu", 1, False)[0][0],
    )
    assert torch.equal(
        word(starter, ask("a (red:1) house")).positive.hidden, word(starter, ask("a red house")).positive.hidden
    )


def test_clip_skip_takes_an_earlier_layer_of_the_prompt_with_the_last_norm(tiny: LoadedModel) -> None:
    encoder: Any = tiny.text_encoders[0]
    ids = tiny.tokenizers[0]("a red house", padding="max_length", return_tensors="pt").input_ids
    with torch.inference_mode():
        output = encoder(ids, output_hidden_states=True)
        for skip in (1, 2):
            wording = tiny.family.word(tiny, ask("a red house", "a red house", clip_skip=skip))
            expected = encoder.final_layer_norm(output.hidden_states[-(skip + 1)])[0]
            assert torch.equal(wording.positive.hidden, expected)
            assert wording.negative is not None
            assert torch.equal(wording.negative.hidden, output[0][0])


def test_more_skipped_layers_than_there_are_read_the_first(tiny: LoadedModel) -> None:
    assert torch.equal(
        tiny.family.word(tiny, ask("a hill", clip_skip=4)).positive.hidden,
        tiny.family.word(tiny, ask("a hill", clip_skip=3)).positive.hidden,
    )


def test_words_that_repeat_are_encoded_once(starter: LoadedModel, calls: list[int]) -> None:
    first = starter.family.word(starter, ask("a hill", "fog"))
    again = starter.family.words(starter, [ask("a hill", "fog"), ask("a lake", "fog")])
    assert calls == [1, 1, 1]
    assert torch.equal(first.positive.hidden, again[0].positive.hidden)
    starter.family.word(starter, ask("a hill", "fog", clip_skip=1))
    assert len(calls) == 4
    starter.embeddings.loras = (Lora("ink"),)
    starter.family.word(starter, ask("a hill", "fog"))
    assert len(calls) == 6
    starter.embeddings.loras = ()
    starter.family.word(starter, ask("a hill", "fog"))
    assert len(calls) == 6


def test_an_embedding_does_not_depend_on_its_company(
    starter: LoadedModel, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(text.CALL_CHUNKS, "cpu", 8)  # as on a GPU
    alone = starter.family.word(starter, ask("a (red) house", "fog"))
    starter.embeddings.clear()
    asks = [ask(f"{HOUSE * i} a lake") for i in range(1, 40, 5)]
    together = starter.family.words(starter, [*asks, ask("a (red) house", "fog")])[-1]
    assert set(calls) == {8}
    assert together.negative is not None
    assert alone.negative is not None
    assert torch.equal(alone.positive.hidden, together.positive.hidden)
    assert torch.equal(alone.negative.hidden, together.negative.hidden)


def test_what_is_kept_is_bounded_by_number_and_by_bytes() -> None:
    kept = Embeddings(entries=3, limit=1000)
    for key in "abc":
        kept.keep(key, Encoded(torch.zeros(10, 10)))
    assert (len(kept), kept.bytes) == (2, 800)
    assert kept.get("a") is None
    assert kept.get("b") is not None
    for key in "defg":
        kept.keep(key, Encoded(torch.zeros(1, 10), torch.zeros(10)))
    assert (len(kept), kept.bytes) == (3, 240)
    kept.keep("g", Encoded(torch.zeros(2, 10)))
    assert (len(kept), kept.bytes) == (3, 240)
    kept.keep("huge", Encoded(torch.zeros(300)))
    assert (len(kept), kept.bytes) == (0, 0)
