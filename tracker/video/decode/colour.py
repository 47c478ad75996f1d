"""Convert HDR and wide gamuts to SDR and BT.709, by a lookup table for FFmpeg."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

Array = NDArray[np.float64]

BT709, BT2020 = 1, 9  # AVColorPrimaries
PQ, HLG = 16, 18  # AVColorTransferCharacteristic
TRANSFERS = {PQ: "PQ", HLG: "HLG"}
# (x, y) of red, green, blue and white, ITU-T H.273 table 2
PRIMARIES = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3140, 0.3510)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
}
GAMUTS = {BT709: "BT.709", BT2020: "BT.2020", 11: "DCI-P3", 12: "Display P3"}

CODED = "gbrp16le"  # pixel format of `Mapping`
WHITE, PEAK = 100.0, 1000.0  # nits: white of BT.709; peak of the display for HLG and most PQ (BT.2100)
GAMMA = 2.4  # of an SDR display, BT.1886
LEVELS = 4096  # of a table entry, finer than the 8-bit result
SIDE = 49  # entries per side; the mean error is half a level, with 33 one level


def kind_of(transfer: int, primaries: int) -> tuple[int, int] | None:
    """Return the (transfer, primaries) to map to BT.709; None if it is equivalent to it or unknown."""
    if transfer in TRANSFERS:
        return transfer, primaries if primaries in PRIMARIES else BT2020
    return (BT709, primaries) if primaries in PRIMARIES and primaries != BT709 else None


def describe(kind: tuple[int, int]) -> str:
    """Return the name of a kind: `HDR (PQ, BT.2020)`."""
    transfer, primaries = kind
    name = TRANSFERS.get(transfer)
    return f"HDR ({name}, {GAMUTS[primaries]})" if name else f"of a wide gamut ({GAMUTS[primaries]})"


def to_bt709(codes: Array, *, transfer: int, primaries: int) -> Array:
    """Map colours to BT.709 with the same appearance on an SDR display of 100 nits.

    Args:
        codes: (N, 3) non-linear R, G, B in [0, 1], black to peak.
        transfer: PQ or HLG; other values are SDR.
        primaries: a key of `PRIMARIES`.

    Returns:
        (N, 3) non-linear R, G, B in [0, 1].
    """
    nits = _light(codes, transfer)
    if transfer in TRANSFERS:
        brightest = np.maximum(nits.max(axis=1, keepdims=True), 1e-6)
        nits = nits * (_tone(brightest) / brightest)  # by a common factor, so that hues are kept
    light = nits @ _gamut(primaries).T / WHITE
    return np.clip(light, 0, 1) ** (1 / GAMMA)


def _light(codes: Array, transfer: int) -> Array:
    """Return nits on the reference display of the coding (BT.2100)."""
    if transfer == PQ:
        return _from_pq(codes)
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
        luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
        return PEAK * scene * luminance[:, None] ** 0.2
    return WHITE * codes**GAMMA


_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # SMPTE ST 2084


def _from_pq(codes: Array) -> Array:
    power = codes ** (1 / _M2)
    return 1e4 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)


def _to_pq(nits: Array) -> Array:
    power = (nits / 1e4) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def _tone(nits: Array) -> Array:
    """Compress [0, PEAK] to [0, WHITE]: unchanged below a knee, then a spline (BT.2390, section 5.4.1)."""
    whole = _to_pq(np.array(PEAK))
    top = _to_pq(np.array(WHITE)) / whole
    knee = 1.5 * top - 0.5
    code = np.minimum(_to_pq(nits) / whole, 1)
    t = np.maximum(code - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * top
    return _from_pq(np.where(code < knee, code, spline) * whole)


def _gamut(primaries: int) -> Array:
    """Return the matrix from linear R, G, B of these primaries to those of BT.709."""
    return np.linalg.inv(_to_xyz(BT709)) @ _to_xyz(primaries)


def _to_xyz(primaries: int) -> Array:
    """Return the matrix from linear R, G, B to X, Y, Z relative to the white point (von Kries adaptation)."""
    *corners, white = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES[primaries]])
    matrix = np.array(corners).T  # (X Y Z, R G B)
    return (matrix * np.linalg.solve(matrix, white)) / white[:, None]


@cache
def cube(transfer: int, primaries: int) -> str:
    """Return the table of `to_bt709` as the text of a .cube file."""
    steps = np.linspace(0, 1, SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red runs fastest
    colours = to_bt709(np.stack([red, green, blue], -1).reshape(-1, 3), transfer=transfer, primaries=primaries)
    words = np.array([f"{value:.4f}" for value in np.linspace(0, 1, LEVELS)], object)  # formatted once
    rows = words[np.rint(colours * (LEVELS - 1)).astype(int)].tolist()
    return f"LUT_3D_SIZE {SIDE}\n" + "\n".join(map(" ".join, rows)) + "\n"


class Mapping:
    """Callable that maps images of one size and kind to BT.709."""

    def __init__(self, kind: tuple[int, int], *, width: int, height: int) -> None:
        """Build the table and the filter for images of this size."""
        self._graph = Graph()
        layout: Any = av.VideoFormat(CODED, width, height)
        source = self._graph.add_buffer(width=width, height=height, format=layout, time_base=1)  # type: ignore[arg-type]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.cube"
            path.write_text(cube(*kind))
            table = self._graph.add("lut3d", file=str(path), interp="tetrahedral")  # read at once
        sink = self._graph.add("buffersink")
        source.link_to(table)
        table.link_to(sink)
        self._graph.configure()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Map one image in the format `CODED`."""
        self._graph.push(frame)
        return self._graph.pull()  # type: ignore[return-value]
