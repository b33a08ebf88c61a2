"""What a member asked for: every value needed to paint the same pictures again, and the ranges they must keep."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from generation.errors import BadRequest
from generation.options import SAMPLERS, unknown_sampler


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive range of a request's value, of whole numbers where the bounds are whole.

    The same object feeds the command's option and the check on submit.
    """

    low: float
    high: float
    name: str
    unit: str = ""

    def check(self, value: float) -> None:
        """Raise BadRequest with a full sentence unless `value` is a number inside; whole where the bounds are."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequest(f"{self.name} must be a number.")
        if not self.low <= value <= self.high:  # false for not-a-number too
            unit = f" {self.unit}" if self.unit else ""
            raise BadRequest(
                f"{self.name} must be between {self.low:,} and {self.high:,}{unit}; you asked for {_shown(value)}."
            )
        if isinstance(self.low, int) and value != int(value):
            raise BadRequest(f"{self.name} must be a whole number; you asked for {_shown(value)}.")


PROMPT_LENGTH = Range(1, 1000, "The prompt", "characters")
NEGATIVE_LENGTH = Range(0, 1000, "The negative prompt", "characters")
SIDE = Range(64, 2048, "Width and height", "pixels")
PIXELS = Range(64 * 64, 2048 * 1024, "The area of a picture", "pixels")
STEPS = Range(1, 100, "Steps")
GUIDANCE = Range(0.0, 30.0, "Guidance")
SEED = Range(0, 2**32 - 1, "The seed")
COUNT = Range(1, 4, "The number of pictures")
STRENGTH = Range(0.05, 1.0, "Strength")
SIDE_MULTIPLE = 8  # one latent cell of every Stable Diffusion VAE is 8 pixels wide
CLIP_SKIP = Range(0, 4, "Clip skip", "layers")
LORA_SCALE = Range(-2.0, 2.0, "The scale of a LoRA")
MAX_LORAS = 4
MAX_ASPECT = 8.0
MAX_VARIATIONS = 16  # how often a variation of a variation may be taken before the chain is refused


@dataclass(frozen=True, slots=True)
class Variation:
    """Move a picture's noise towards that of `seed` by spherical interpolation (0 keeps, 1 replaces it)."""

    seed: int
    strength: float


@dataclass(frozen=True, slots=True)
class Lora:
    """A small set of weights added to the model's: its name in the owner's folder, and how strongly."""

    name: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One wish of one member: `count` pictures that differ only in their noise.

    Picture i starts from the noise of `seed + i`; when `variations` are given, from the noise of `seed` moved by each
    of them in turn, where only the last one's seed is raised by i.
    """

    prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    sampler: str
    seed: int
    model: str
    negative: str = ""
    count: int = 1
    image: str | None = None  # SHA-256 of the picture to start from; its bytes travel beside the request
    strength: float | None = None  # how much of that picture is repainted
    variations: tuple[Variation, ...] = ()
    loras: tuple[Lora, ...] = ()
    clip_skip: int = 0  # last layers of the text encoder that are left out

    def __post_init__(self) -> None:
        _check_text(self.prompt, PROMPT_LENGTH)
        _check_text(self.negative, NEGATIVE_LENGTH)
        self._check_size()
        for value, allowed in ((self.steps, STEPS), (self.guidance, GUIDANCE), (self.seed, SEED), (self.count, COUNT)):
            allowed.check(value)
        if self.sampler not in SAMPLERS:
            raise BadRequest(unknown_sampler(self.sampler))
        if (self.image is None) != (self.strength is None):
            raise BadRequest("Strength belongs to a picture to start from; give both or neither.")
        if self.strength is not None:
            STRENGTH.check(self.strength)
        if len(self.variations) > MAX_VARIATIONS:
            raise BadRequest(
                "This picture is a variation of too many variations; start again from one of its ancestors."
            )
        for variation in self.variations:
            SEED.check(variation.seed)
            Range(0.0, 1.0, "Variation strength").check(variation.strength)
        CLIP_SKIP.check(self.clip_skip)
        if len(self.loras) > MAX_LORAS:
            raise BadRequest(f"At most {MAX_LORAS} LoRAs can be used at once; you asked for {len(self.loras)}.")
        for lora in self.loras:
            LORA_SCALE.check(lora.scale)

    def _check_size(self) -> None:
        SIDE.check(self.width)
        SIDE.check(self.height)
        PIXELS.check(self.width * self.height)
        if max(self.width, self.height) > MAX_ASPECT * min(self.width, self.height):
            raise BadRequest(f"A picture may be at most {MAX_ASPECT:.0f} times as long as it is wide.")
        if self.width % SIDE_MULTIPLE or self.height % SIDE_MULTIPLE:
            raise BadRequest(f"Width and height must be multiples of {SIDE_MULTIPLE} pixels.")

    @property
    def megapixel_steps(self) -> float:
        """Work in megapixels × steps × pictures; image-to-image runs only `strength` of its steps."""
        share = 1.0 if self.strength is None else self.strength
        return self.width * self.height / 1e6 * self.steps * share * self.count

    def single(self, index: int) -> Request:
        """The request that paints picture `index` of this one alone."""
        if not 0 <= index < self.count:
            raise BadRequest("There is no such picture in this set.")
        if not self.variations:
            return replace(self, count=1, seed=(self.seed + index) % (int(SEED.high) + 1))
        last = self.variations[-1]
        moved = Variation((last.seed + index) % (int(SEED.high) + 1), last.strength)
        return replace(self, count=1, variations=(*self.variations[:-1], moved))

    def to_json(self) -> dict[str, Any]:
        """The request as plain JSON values, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build a request from stored JSON, checking every value again."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["variations"] = tuple(Variation(**item) for item in data.get("variations", ()))
        values["loras"] = tuple(Lora(**item) for item in data.get("loras", ()))
        return cls(**values)


def _check_text(text: str, allowed: Range) -> None:
    if not isinstance(text, str):
        raise BadRequest(f"{allowed.name} must be text.")
    if allowed.low > 0 and not any(character.isprintable() and not character.isspace() for character in text):
        raise BadRequest("The prompt is empty; say what you would like to see.")
    if len(text) > allowed.high:
        raise BadRequest(f"{allowed.name} has {len(text):,} characters; at most {allowed.high:,} are possible.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):  # half a pair is no character
        raise BadRequest(f"{allowed.name} contains characters that cannot be used.")


def _shown(value: float) -> str:
    if value != value:  # only not-a-number differs from itself
        return "something that is no number"
    if abs(value) < 1e12:
        return f"{value:,}"
    return f"{value:.2e}" if abs(value) < 1e300 else "something beyond all measure"
