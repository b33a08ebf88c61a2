"""The recipe of a picture: as values for the store, and as the "parameters" text that other programs read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath

from generation.models import ModelCard
from generation.options import SAMPLERS
from generation.request import Request

PAIR = re.compile(r'\s*([\w ]+):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
NEGATIVE = "Negative prompt: "


def as_parameters(request: Request, card: ModelCard, *, with_prompt: bool = True) -> str:
    """The text form that Stable Diffusion programs have in common: prompt, negative prompt, one line of pairs.

    Without the prompt, only the line of pairs is left.
    """
    pairs: dict[str, object] = {
        "Steps": request.steps,
        "Sampler": SAMPLERS[request.sampler],
        "CFG scale": request.guidance,
        "Seed": request.seed,
        "Size": f"{request.width}x{request.height}",
        "Model hash": card.sha256[:10],
        "Model": PurePath(card.name).name,  # of a path only its end: the rest is the owner's machine
    }
    if request.strength is not None:
        pairs["Denoising strength"] = request.strength
    if request.variations:
        last = request.variations[-1]
        pairs |= {"Variation seed": last.seed, "Variation seed strength": last.strength}
    if request.clip_skip:
        pairs["Clip skip"] = request.clip_skip + 1  # counted from one by the programs that read this
    if len(request.variations) > 1:
        pairs["Variations"] = " ".join(f"{item.seed}:{item.strength}" for item in request.variations)
    pairs["Version"] = "Atelier"
    line = ", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items())
    if not with_prompt:
        return line
    tags = "".join(f" <lora:{lora.name}:{lora.scale:g}>" for lora in request.loras)
    lines = [request.prompt + tags]
    if request.negative:
        lines.append(NEGATIVE + request.negative)
    return "\n".join([*lines, line])


def parse_parameters(text: str) -> dict[str, str]:
    """Read the text form back: "prompt", "negative", and the pairs under their own names; empty when it is none."""
    body, _, last = text.strip().rpartition("\n")
    pairs = {key.strip(): _unquoted(value.strip()) for key, value in PAIR.findall(last)}
    if "Steps" not in pairs:
        return {}
    prompt, _, negative = ("\n" + body).partition("\n" + NEGATIVE)
    return {"prompt": prompt.strip("\n"), "negative": negative, **pairs}


def as_values(request: Request, card: ModelCard, made_with: Mapping[str, object]) -> dict[str, object]:
    """Everything needed to paint the same pictures again, as plain values."""
    return {"request": request.to_json(), "model": card.name, "model_sha256": card.sha256, **made_with}


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text)) if text.startswith('"') else text
    except ValueError:
        return text
