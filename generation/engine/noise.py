"""The random numbers of a picture: drawn on the CPU, one generator each, so that neither device nor company matter."""

from __future__ import annotations

import torch

from generation.request import Request


def generator(seed: int) -> torch.Generator:
    """A fresh CPU generator; the same numbers on every machine."""
    return torch.Generator("cpu").manual_seed(seed)


def starting(request: Request, rng: torch.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    """The starting noise of a request for one picture, float32 of `shape` (1, channels, height, width in cells).

    `rng` is the generator of the request's seed; it goes on to serve the steps of ancestral samplers, so that a
    variation keeps its parent's step noise and differs in its start alone.
    """
    noise = torch.randn(shape, generator=rng)
    for variation in request.variations:
        noise = slerp(noise, torch.randn(shape, generator=generator(variation.seed)), variation.strength)
    return noise


def slerp(start: torch.Tensor, end: torch.Tensor, share: float) -> torch.Tensor:
    """Spherical interpolation: keeps the length that Gaussian noise has, which a straight line would not.

    Source: K. Shoemake, "Animating rotation with quaternion curves", 1985.
    """
    if share == 0.0:
        return start
    if share == 1.0:
        return end
    a, b = start.flatten().double(), end.flatten().double()
    cosine = torch.dot(a, b) / (a.norm() * b.norm())
    angle = torch.acos(cosine.clamp(-1.0, 1.0))
    if torch.sin(angle) < 1e-6:  # (anti)parallel: no arc to follow
        return torch.lerp(start, end, share)
    mixed = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    return mixed.to(start.dtype).reshape(start.shape)
