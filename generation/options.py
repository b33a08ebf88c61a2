"""The choices members are offered: samplers, shapes and styles, by their usual names."""

from __future__ import annotations

import difflib
import math

# Names as the community knows them; the engine maps each to a sampler of diffusers.
SAMPLERS: dict[str, str] = {
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_karras": "DPM++ 2M Karras",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "euler": "Euler",
    "euler_a": "Euler ancestral",
    "ddim": "DDIM",
    "unipc": "UniPC",
    "heun": "Heun",
    "lcm": "LCM",
    "flow_euler": "Flow-match Euler",
}

FLOW = "flow_euler"  # of models that learnt straight flows; it fits no other, and no other fits them

ASPECTS: dict[str, tuple[int, int]] = {
    "square": (1, 1),
    "portrait": (3, 4),
    "landscape": (4, 3),
    "tall": (9, 16),
    "wide": (16, 9),
}

# A style is a template around the member's words; "{prompt}" must occur once.
STYLES: dict[str, str] = {
    "watercolor": "{prompt}, watercolor painting",
    "ink": "{prompt}, ink drawing",
    "neon": "{prompt}, neon, glowing",
    "flat": "{prompt}, flat illustration",
}

SIZE_MULTIPLE = 32  # keeps latents divisible by the downsampling of the denoisers we load


# Samplers that people may know from elsewhere, and why they are not here.
ABSENT = {
    "pndm": "PNDM remembers more of its steps than pictures that are painted together can carry along",
    "plms": "PLMS remembers more of its steps than pictures that are painted together can carry along",
    "dpm_adaptive": "it chooses its steps as it goes, so no two pictures could take them together",
    "dpmpp_2s_a": "it is not in the library that paints here",
}


def unknown_sampler(name: str) -> str:
    """A sentence about a sampler that is not offered: why, where that is known, and the nearest ones that are."""
    shown, folded = name[:40], name.strip().lower().replace("+", "p").replace(" ", "_").replace("-", "_")
    near = difflib.get_close_matches(folded, SAMPLERS, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near and folded not in ABSENT else f"choose {', '.join(SAMPLERS)}."
    if folded in ABSENT:
        return f"The sampler “{shown}” cannot be used: {ABSENT[folded]}; {hint}"
    return f"There is no sampler called “{shown}”; {hint}"


def size_of(aspect: str, native: int) -> tuple[int, int]:
    """Width and height in pixels of `aspect` with about the area native × native, each a multiple of 32."""
    across, down = ASPECTS[aspect]
    scale = native / math.sqrt(across * down)
    return _rounded(across * scale), _rounded(down * scale)


def _rounded(side: float) -> int:
    return max(SIZE_MULTIPLE, round(side / SIZE_MULTIPLE) * SIZE_MULTIPLE)
