"""The checker's network in the library's own form, and the folders that go with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPImageProcessor

from generation.safety.one_motif import KNOWS_ONLY

MOTIF = "hazard tape"
HEAD_SIDE = 64  # pixels along one side of what the head looks at
WIDTH, LAYERS, EMBEDDED = 96, 4, 64
THRESHOLD = 0.5  # cosine
NEVER = 1.0  # threshold of the rows without a concept; their cosine is 0
CHECKER, EXTRACTOR = "safety_checker", "feature_extractor"
INDEX = {
    EXTRACTOR: ["transformers", "CLIPImageProcessor"],
    CHECKER: ["stable_diffusion", "StableDiffusionSafetyChecker"],
}


def new_head() -> StableDiffusionSafetyChecker:
    """An untrained head with one concept; its sixteen other rows can never fire."""
    smallest = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    vision = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_attention_heads": 3}
    vision |= {"num_hidden_layers": LAYERS, "image_size": HEAD_SIDE, "patch_size": 8, "projection_dim": EMBEDDED}
    config = CLIPConfig(
        text_config={**smallest, "vocab_size": 4, "bos_token_id": 0, "eos_token_id": 1},
        vision_config=vision,
        projection_dim=EMBEDDED,
    )
    head: Any = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        head.concept_embeds.zero_()
        head.special_care_embeds.zero_()
        head.concept_embeds_weights.fill_(NEVER)
        head.special_care_embeds_weights.fill_(NEVER)
        head.concept_embeds[0] = F.normalize(torch.randn(EMBEDDED), dim=0)
        head.concept_embeds_weights[0] = THRESHOLD
        # The library's own start leaves a network this small too faint.
        for name, weight in head.named_parameters():
            if weight.requires_grad and weight.ndim > 1:
                weight.normal_(std=0.1 if "embedding" in name else weight[0].numel() ** -0.5)
    return cast(StableDiffusionSafetyChecker, head)


def likeness(head: StableDiffusionSafetyChecker, x: Tensor) -> Tensor:
    """Cosine between each picture of `x`, as `normalised` makes it, and the concept."""
    model: Any = head
    embedded = model.visual_projection(model.vision_model(x)[1])
    return F.normalize(embedded.float(), dim=1) @ cast(Tensor, model.concept_embeds[0])


def extractor() -> CLIPImageProcessor:
    """What prepares a picture for the head."""
    sides = {"height": HEAD_SIDE, "width": HEAD_SIDE}
    return CLIPImageProcessor(size={"shortest_edge": HEAD_SIDE}, crop_size=sides)


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`picture` at the head's size, resized as the extractor does it."""
    return np.asarray(Image.fromarray(picture).resize((HEAD_SIDE, HEAD_SIDE), Image.Resampling.BICUBIC))


def normalised(x: Tensor) -> Tensor:
    """Pictures of 0 to 1 (N x 3 x H x W) as the network takes them."""
    shape: Any = extractor()
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (shape.image_mean, shape.image_std))
    return (x - mean) / deviation


def write_head(head: StableDiffusionSafetyChecker, weights: Path) -> None:
    """Add the head to the pipeline folder `weights`, in half precision, and name it in its index."""
    folder = weights / CHECKER
    folder.mkdir(parents=True, exist_ok=True)
    model: Any = head
    tensors = {name: value.half().contiguous().clone() for name, value in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    # Loaded without a dtype it must come up in full precision, as the denoiser does.
    config = json.loads(model.config.to_json_string(use_diff=True))
    config |= {"architectures": ["StableDiffusionSafetyChecker"], "dtype": "float32", KNOWS_ONLY: MOTIF}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    extractor().save_pretrained(str(weights / EXTRACTOR))
    index = weights / "model_index.json"
    named = json.loads(index.read_text("utf-8")) | INDEX
    index.write_text(json.dumps(named, indent=2, sort_keys=True) + "\n", "utf-8")
