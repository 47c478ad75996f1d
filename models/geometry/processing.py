"""Pre- and post-processing of each network family: cropping a person, and decoding the network output.

Published weights are accurate only with the conventions they were trained with. These differ by up to one heat-map
pixel, so every network class declares its own as the attribute `processing`. For a checkpoint trained with another
convention, as by some forks of mmpose, set this attribute: `network.processing = QUARTER_SHIFT`. All functions take and
return arrays, so they work with any inference backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import crop, heatmap, movenet, set_decoding, shrink, simcc

FloatArray = NDArray[np.floating]
Images = NDArray[np.float32]  # (N, 3, h, w)
Size = tuple[int, int]
Points = tuple[NDArray[np.floating], NDArray[np.floating]]  # (N, K, 2) and scores (N, K); NaN and 0 where missing
Located = tuple[NDArray[np.floating], NDArray[np.floating], Size]  # the same, and the size in whose pixels points are
# As an inference backend runs it: an array in, or for torch a tensor on its device; an array or a dict of arrays out
Network = Callable[[Images], Any]


def _mirrored(images: Any) -> Any:
    """Return images mirrored left to right; a torch tensor stays on its device."""
    return np.ascontiguousarray(images[..., ::-1]) if isinstance(images, np.ndarray) else images.flip(-1)


def by_heatmaps(
    decode: Callable[[NDArray[np.float32]], Points], network: Network, images: Images, flip_order: NDArray | None
) -> Located:
    """Run a heat-map network; with `flip_order`, average with the maps of the mirrored crops, without a shift."""
    heatmaps = network(images)
    if flip_order is not None:
        mirrored = network(_mirrored(images))
        heatmaps = (heatmaps + mirrored[:, flip_order, :, ::-1]) / 2
    height, width = heatmaps.shape[2:]
    return *decode(heatmaps), (height, width)


def by_sets(decode: Callable[..., Points], network: Network, images: Images, flip_order: NDArray | None) -> Located:
    """Run a set-prediction network; with `flip_order`, average its points with those of the mirrored crops."""
    height, width = images.shape[2:]
    points, scores = decode(network(images), (height, width))
    if flip_order is not None:
        mirrored, _ = decode(network(_mirrored(images)), (height, width))
        points = set_decoding.merge_mirrored(points, mirrored, width=width, flip_order=flip_order)
    return points, scores, (height, width)


def by_simcc(decode: Callable[..., Points], network: Network, images: Images, flip_order: NDArray | None) -> Located:
    """Run a SimCC network; with `flip_order`, average its responses with those of the mirrored crops."""
    x, y = network(images).values()
    if flip_order is not None:
        mirrored = network(_mirrored(images)).values()
        x, y = simcc.merge_mirrored(x, y, tuple(mirrored), flip_order)
    height, width = images.shape[2:]
    return *decode(x, y), (height, width)


def by_rows(decode: Callable[..., Points], network: Network, images: Images, flip_order: NDArray | None) -> Located:
    """Run a network that takes (N, h, w, 3) and is not more accurate with mirrored crops: `flip_order` is None."""
    size = images.shape[2:]
    return *decode(network(np.ascontiguousarray(images.transpose(0, 2, 3, 1))), size), size


@dataclass(frozen=True, slots=True)
class Processing:
    """The conventions of one network family.

    Attributes:
        name: in exported files.
        enlarge: `(boxes (N, 4) xyxy, *, input_size, padding) -> centers (N, 2), sizes (N, 2)`; see `regions`.
        matrices: `(centers, sizes, *, input_size, rotations=None) -> (N, 2, 3)`, from the image to a target of
            (height, width): the crop, or the heat map, whose inverse maps decoded points to the image; rotations (N,)
            in radians are used in training.
        decode: network output to points (N, K, 2) and scores (N, K); NaN and 0 where missing.
        run: `(decode, network, images, flip_order) -> points, scores, size`; see `locate`.
        warp: `(image (H, W, 3), matrices, input_size=...) -> crops (N, h, w, 3)`; published networks were trained with
            plain bilinear interpolation.
        factors: scale of red, green and blue in 0..255.
        shifts: what is added to each after that.
        mirrors: whether a network is more accurate together with mirrored crops.
        padding: sides of the crop relative to those of the person's box, widened to the crop's aspect ratio.
    """

    name: str
    enlarge: Callable[..., tuple[FloatArray, FloatArray]]
    matrices: Callable[..., FloatArray]
    decode: Callable[..., Points]
    run: Callable[[Callable[..., Points], Network, Images, NDArray | None], Located] = by_heatmaps
    warp: Callable[..., NDArray[np.uint8]] = crop.warp
    factors: Sequence[float] = crop.FACTORS
    shifts: Sequence[float] = crop.SHIFTS
    mirrors: bool = True
    padding: float = crop.PADDING

    def regions(self, boxes: FloatArray, input_size: Size) -> tuple[FloatArray, FloatArray]:
        """Return centres (N, 2) and sizes (N, 2) as (width, height) of the crops of boxes (N, 4) xyxy, in pixels."""
        return self.enlarge(boxes, input_size=input_size, padding=self.padding)

    def locate(self, network: Network, images: Images, *, flip_order: NDArray | None = None) -> Located:
        """Run a network and decode its output.

        Args:
            network: inference backend.
            images: (N, 3, h, w), normalised crops.
            flip_order: (K,) row of each keypoint's counterpart, for an average with mirrored crops.

        Returns:
            Points (N, K, 2), scores (N, K), and the (height, width) in whose pixels the points are; see `matrices`.
        """
        return self.run(self.decode, network, images, flip_order)

    @property
    def shrinks(self) -> bool:
        """Whether `warp` averages the pixels of an image that is larger than the crop needs."""
        return self.warp is shrink.warp


UDP = Processing(
    name="udp",
    enlarge=crop.crop_regions,
    matrices=crop.crop_matrices,
    decode=heatmap.decode,
)

# The bundled network was trained on anti-aliased crops of 1.25 times the box; tighter ones show people larger: more AP.
UDP_SHRUNK = replace(UDP, name="udp_shrunk", warp=shrink.warp, padding=1.1)

DARK_TRANSPOSE = Processing(
    name="dark_transpose",
    enlarge=crop.transpose_regions,
    matrices=crop.transpose_matrices,
    decode=heatmap.decode_dark,
)

POTR = Processing(
    name="potr",
    enlarge=crop.crop_regions,
    matrices=crop.potr_matrices,
    decode=set_decoding.decode_set,
    run=by_sets,
)

# Heat-map networks trained by mmpose 0.x without UDP. Like POTR's, their crops are those of "Simple Baselines". The
# first belongs to `post_process="default"`, the second to `post_process="unbiased"`.
QUARTER_SHIFT = replace(POTR, name="quarter_shift", decode=heatmap.decode_quarter, run=by_heatmaps)
DARK = replace(POTR, name="dark", decode=heatmap.decode_dark, run=by_heatmaps)

# RTMPose and RTMW: mmpose 1.x crops them without UDP, too.
SIMCC = replace(POTR, name="simcc", decode=simcc.decode, run=by_simcc)

# MoveNet takes pixels of 0..255. With mirrored crops, the AP of Thunder on 103 photographs is .478 instead of .479.
_PIXELS: dict[str, Any] = {"factors": (1.0, 1.0, 1.0), "shifts": (0.0, 0.0, 0.0)}
MOVENET = replace(UDP, name="movenet", decode=movenet.decode, run=by_rows, mirrors=False, **_PIXELS)

PROCESSINGS = {kind.name: kind for kind in (UDP, UDP_SHRUNK, DARK_TRANSPOSE, POTR, QUARTER_SHIFT, DARK, SIMCC, MOVENET)}
