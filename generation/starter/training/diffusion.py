"""The training objective: predict the velocity, with care for where the things are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CENTRE, SPREAD = -2.5, 2.2  # log signal-to-noise ratio that is trained most: there the shapes are decided
UNIFORM = 0.1  # share of timesteps drawn evenly, so that none is forgotten
ATTENTION = 3.0  # extra weight of the cells that show a thing


class Diffusion:
    """Noise levels of one schedule, and the loss at them."""

    def __init__(self, alphas_cumprod: Tensor, device: torch.device, centre: float = CENTRE) -> None:
        snr = torch.log(alphas_cumprod / (1 - alphas_cumprod))
        density = torch.exp(-0.5 * ((snr - centre) / SPREAD) ** 2) * -torch.gradient(snr)[0]
        shares = (1 - UNIFORM) * density / density.sum() + UNIFORM / len(snr)
        self._cumulative = shares.cumsum(0).to(device)
        self._signal = alphas_cumprod.sqrt().to(device).view(-1, 1, 1, 1)
        self._noise = (1 - alphas_cumprod).sqrt().to(device).view(-1, 1, 1, 1)

    def timesteps(self, count: int) -> Tensor:
        """Stratified, so that every batch covers all noise levels."""
        device = self._cumulative.device
        places = (torch.arange(count, device=device) + torch.rand(count, device=device)) / count
        return torch.searchsorted(self._cumulative, places).clamp(max=len(self._cumulative) - 1)

    def noisy(self, z: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The latents as seen at timestep `t`, and the velocity to predict."""
        signal, share = self._signal[t], self._noise[t]
        return signal * z + share * noise, signal * noise - share * z


def region_weights(masks: Tensor, attention: float = ATTENTION) -> Tensor:
    """Weights of mean 1, N x 1 x H x W, from region masks in bytes (N x H x W)."""
    grown = F.max_pool2d(masks.float().div(255).unsqueeze(1), 3, 1, 1)
    weights = 1 + attention * grown
    return weights / weights.mean()
