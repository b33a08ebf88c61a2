"""Muon for hidden matrices and flattened convolutions, AdamW for all else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # quintic iteration of Jordan et al., Muon (2024)
EDGES = ("conv_in", "conv_out", "embedding")  # first and last layers do better with AdamW
SMALLEST = 16  # matrices thinner than this are left to AdamW


def orthogonal(gradient: Tensor, steps: int = 5) -> Tensor:
    """The nearest matrix of the same shape whose singular values are all about 1."""
    a, b, c = NEWTON_SCHULZ
    x: Tensor = gradient.bfloat16()
    tall = x.size(-2) > x.size(-1)
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    x = x.mT if tall else x
    return x.to(gradient.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum whose direction is orthogonalised; parameters of one shape are handled together."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.01) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[tuple[nn.Parameter, Tensor]]] = {}
            for param in group["params"]:
                if param.grad is None:
                    continue
                memory = self.state[param].setdefault("momentum", torch.zeros_like(param))
                memory.lerp_(param.grad, 1 - group["momentum"])
                flat = param.grad.lerp(memory, group["momentum"]).reshape(param.shape[0], -1)
                alike.setdefault((flat.shape[0], flat.shape[1]), []).append((param, flat))
            for shape, members in alike.items():
                moves = orthogonal(torch.stack([flat for _, flat in members]))
                reach = group["lr"] * 0.2 * max(shape) ** 0.5  # as long a step as AdamW would make
                for (param, _), move in zip(members, moves, strict=True):
                    param.mul_(1 - group["lr"] * group["decay"]).add_(move.view(param.shape), alpha=-reach)


class Duo:
    """Muon and AdamW side by side, at one learning rate scaled per group."""

    def __init__(
        self, hidden: nn.Module, rest: nn.Module | None = None, *, lr: float, rest_scale: float = 0.25
    ) -> None:
        named = list(hidden.named_parameters())
        matrices = {name for name, param in named if _is_matrix(name, param)}
        self._parts: list[torch.optim.Optimizer] = [
            Muon([param for name, param in named if name in matrices], lr),
            _adamw([param for name, param in named if name not in matrices], lr),
        ]
        self._scales = [1.0, 1.0]
        if rest is not None:
            self._parts.append(_adamw(list(rest.parameters()), lr))
            self._scales.append(rest_scale)

    def step(self, lr: float) -> None:
        """Move all parameters, then forget their gradients."""
        for part, scale in zip(self._parts, self._scales, strict=True):
            for group in part.param_groups:
                group["lr"] = lr * scale
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """State of all parts, in order."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Continue where `states` left off."""
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)


def _is_matrix(name: str, param: nn.Parameter) -> bool:
    if param.ndim < 2 or any(edge in name for edge in EDGES):
        return False
    return min(param.shape[0], param[0].numel()) >= SMALLEST


def _adamw(params: list[nn.Parameter], lr: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(params, lr, weight_decay=0.01, betas=(0.9, 0.99))
