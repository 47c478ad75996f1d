"""The task of training a pose network: crops of people, loss, and validation on held-out people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import default_collate

from ...errors import UsageError
from ..evaluation.coco import coco_keypoint_ap, rescore
from ..geometry import crop
from ..geometry.arrays import to_arrays
from ..geometry.keypoints import COCO
from ..weights import checkpoint
from ..weights.locate import variant
from . import teacher
from .data import People
from .objectives import OBJECTIVES, Mean
from .pretrained import load_backbone
from .recipe import Data, Recipe
from .samples import Crops, in_order, loader, to_planes

SHOWN = 8  # people in the preview
COLOR = (80, 220, 80)


class PoseTask:
    """A pose network's part of `loop.fit`.

    Args:
        people: training data.
        held_out: validation data.
        recipe: of the run.
        network: to train; by default the recipe's, with random or pre-trained weights.
    """

    score = "AP"  # the metric that selects the best checkpoint

    def __init__(self, people: People, held_out: People, recipe: Recipe, *, network: nn.Module | None = None) -> None:
        if recipe.loss not in OBJECTIVES:
            raise UsageError(f"The loss '{recipe.loss}' is unknown; choose one of {', '.join(OBJECTIVES)}.")
        self.objective = OBJECTIVES[recipe.loss]
        self.network: Any = build(recipe) if network is None else network
        self.teacher = teacher.load(recipe, self.network)
        if self.teacher and self.objective.distillation is None:
            raise UsageError(f"The loss '{recipe.loss}' does not support a teacher. Remove teacher.network.")
        self.recipe = recipe
        self.samples = self._crops(_learnt_from(people, recipe.data), recipe)
        self.held_out = self._crops(held_out.select(np.flatnonzero((held_out.weights > 0).any(1))), None)
        self.truth = held_out.truth

    def _crops(self, people: People, recipe: Recipe | None) -> Crops:
        return Crops(
            people,
            processing=self.network.processing,
            input_size=self.network.input_size,
            augmentation=None if recipe is None else recipe.augment,
            seed=0 if recipe is None else recipe.seed,
        )

    collate = None  # samples have one shape

    def loss(self, network: nn.Module, batch: dict[str, Tensor], mean: Mean = lambda value: value) -> Tensor:
        """Return the loss of a batch, a scalar."""
        images = to_planes(batch["images"]).contiguous(memory_format=torch.channels_last)
        output = self.objective.forward(network, images)
        size = images.shape[2], images.shape[3]
        loss = self.objective.loss(output, batch["keypoints"], batch["weights"], size, mean)
        if self.teacher and self.objective.distillation and network.training:  # validation uses only the ground truth
            loss = loss + self.recipe.teacher.weight * self.objective.distillation(output, self.teacher(images))
        return loss

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Validate a network in evaluation mode: held-out loss, and COCO's AP and AR with ground-truth boxes."""
        losses, results = [], []
        for batch, rows in self._held_out_batches():
            batch = {key: value.to(device) for key, value in batch.items()}
            losses.append(self.loss(network, batch).item() * len(rows))
            points, scores = self._locate(network, batch)
            for row, keypoints, confidence in zip(rows, points, scores, strict=True):
                person = np.concatenate([np.nan_to_num(keypoints), confidence[:, None]], axis=1)
                results.append(
                    {
                        "image_id": int(self.held_out.people.ids[self.held_out.people.image_rows[row]]),
                        "keypoints": person.ravel().tolist(),
                        "score": float(rescore(np.ones(1), confidence[None])[0]),
                    }
                )
        measured = coco_keypoint_ap(self.truth, results)
        return {"loss": sum(losses) / len(results)} | {key: measured[key] for key in ("AP", "AP50", "AP75", "AR")}

    def _held_out_batches(self) -> Iterator[tuple[dict[str, Tensor], list[int]]]:
        order = in_order(len(self.held_out), min(self.recipe.batch, 64))
        batches = loader(self.held_out, batches=order, workers=self.recipe.data.workers)
        for keys, batch in zip(order, batches, strict=True):
            yield batch, [index for _, index in keys]

    def _locate(self, network: Any, batch: dict[str, Tensor]) -> tuple[NDArray, NDArray]:
        """Return keypoints (B, K, 2) in pixels of the annotated images, and their scores (B, K)."""
        processing = network.processing
        images = to_planes(batch["images"])
        points, scores, size = processing.locate(lambda x: to_arrays(network(x)), images)
        regions = batch["centers"].cpu().numpy(), batch["sizes"].cpu().numpy()
        return crop.transform(points, crop.invert(processing.matrices(*regions, input_size=size))), np.clip(
            scores, 0, 1
        )

    @torch.no_grad()
    def preview(self, network: Any, device: torch.device) -> NDArray[np.uint8]:
        """Draw the poses of the first held-out people, side by side, (H, W, 3) BGR."""
        batch = default_collate([self.held_out[0, i] for i in range(min(SHOWN, len(self.held_out)))])
        images, regions = batch["images"].numpy().copy(), (batch["centers"].numpy(), batch["sizes"].numpy())
        points, scores = self._locate(network, batch | {"images": batch["images"].to(device)})
        in_crops = crop.transform(points, network.processing.matrices(*regions, input_size=network.input_size))
        for image, person, confidence in zip(images, in_crops, scores, strict=True):
            for a, b in COCO.limbs:
                if min(confidence[a], confidence[b]) > 0.2:
                    ends = [tuple(np.round(person[i]).astype(int).tolist()) for i in (a, b)]
                    cv2.line(image, ends[0], ends[1], COLOR, 1, cv2.LINE_AA)
        return np.concatenate(list(images), axis=1)

    def export(self, state: dict[str, Tensor], path: Path) -> None:
        """Write weights for `--model`."""
        state = {key: value.contiguous().cpu() for key, value in state.items()}
        save_file(state, path, metadata=checkpoint.metadata(self.network))

    def read_weights(self, path: Path) -> dict[str, Tensor]:
        """Read any weights for `--model`, to start from."""
        return checkpoint.load_checkpoint(path).state_dict()


def build(recipe: Recipe) -> nn.Module:
    """Return a recipe's network with random weights by its seed, and with its pre-trained backbone, if any."""
    torch.manual_seed(recipe.seed)
    wanted = recipe.network
    if wanted.variant == "timm":
        from ..networks.timm_pose import TimmPose

        return TimmPose(
            backbone=wanted.backbone,
            head=wanted.head,
            input_size=wanted.input_size,
            drop_path=wanted.drop_path,
            pretrained=wanted.pretrained,
        )
    options: dict[str, Any] = {"input_size": recipe.network.input_size}
    make = variant(recipe.network.variant).build
    if recipe.network.drop_path or "drop_path" in make.keywords:
        options["drop_path"] = recipe.network.drop_path
    try:
        network = make(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"Cannot build {recipe.network.variant} with {options}: {error} Change network.*.") from error
    if recipe.network.pretrained:
        load_backbone(network, recipe.network.pretrained)
    return network


def _learnt_from(people: People, data: Data) -> People:
    """Return the people with enough known keypoints, the carefully annotated ones several times."""
    rows = np.flatnonzero((people.weights > 0).sum(1) >= data.min_keypoints)[: data.limit or None]
    return people.select(np.repeat(rows, np.where(people.true[rows], data.repeat_true, 1)))
