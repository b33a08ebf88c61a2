"""The choices members are offered: samplers, shapes and styles, by their usual names."""

from __future__ import annotations

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


def size_of(aspect: str, native: int) -> tuple[int, int]:
    """Width and height in pixels of `aspect` with about the area native × native, each a multiple of 32."""
    across, down = ASPECTS[aspect]
    scale = native / math.sqrt(across * down)
    return _rounded(across * scale), _rounded(down * scale)


def _rounded(side: float) -> int:
    return max(SIZE_MULTIPLE, round(side / SIZE_MULTIPLE) * SIZE_MULTIPLE)
