"""Deterministic weights/inputs for parity tests (numpy + torch only, no stored weights).

Every tensor depends only on its state-dict key (ORIGINAL key), its shape and the rule
below, so an original-format state dict can be rebuilt from a fixture's JSON alone.
"""

import json
import re
import zlib

import numpy as np
import torch

# keys that look like embeddings (added to activations): std 0.5
_EMB = re.compile(
    r"(pos_embed|pos_embedding|position_embeddings|cls_token|dist_token|"
    r"query_embed\.weight|row_embed\.weight|col_embed\.weight)$"
)


def rng_for(name):
    return np.random.default_rng(zlib.crc32(name.encode("utf-8")))


def value_for(key, shape, dtype="float32", overrides=()):
    """numpy value of one state-dict entry.  overrides: [[regex, multiplier], ...]."""
    shape = tuple(int(s) for s in shape)
    if "int" in str(dtype):
        return np.zeros(shape, dtype=np.int64)
    n = rng_for(key).standard_normal(shape)
    last = key.rsplit(".", 1)[-1]
    if last == "running_var":
        v = np.exp(0.2 * n)
    elif last == "running_mean":
        v = 0.1 * n
    elif last in ("bias", "in_proj_bias"):
        v = 0.1 * n
    elif _EMB.search(key):
        v = 0.5 * n
    elif len(shape) <= 1 or last == "temperature":  # norm weights, layer scales, temperatures
        v = 1.0 + 0.1 * n
    else:  # linear / conv weights
        v = n / np.sqrt(float(np.prod(shape[1:])))
    for pat, mul in overrides:
        if re.search(pat, key):
            v = v * mul
    return v.astype(np.float32)


def load_meta(json_path):
    with open(json_path) as f:
        return json.load(f)


def state_dict_from_meta(meta):
    """The original-format state dict (keys in the original order) as torch tensors.
    Keys listed in meta['keep'] are NOT random: their values are stored in the .npz."""
    keep = set(meta.get("keep", []))
    ov = meta.get("overrides", [])
    return {
        k: torch.from_numpy(np.ascontiguousarray(value_for(k, s, d, ov))).reshape(tuple(s))
        for k, s, d in meta["keys"]
        if k not in keep
    }


def make_input(name, shape, kind="normal"):
    """kind 'normal': N(0,1) float32; 'uint8': integers 0..255."""
    r = rng_for("input:" + name)
    if kind == "uint8":
        return r.integers(0, 256, size=tuple(shape), dtype=np.int64).astype(np.uint8)
    return r.standard_normal(tuple(shape)).astype(np.float32)


def rel_err(a, b):
    """max |a-b| / std(b): the number every fixture is judged by (pass < 1e-4; typical CPU float32 noise is 1e-6..1e-5)."""
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.abs(a - b).max() / (b.std() + 1e-12))


def make_image(h=480, w=640):
    """Smooth synthetic RGB uint8 image (no JPEG decoder involved)."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    chans = [
        127.5 + 60 * np.sin(x / 17.0 + c) + 60 * np.cos(y / 23.0 - 2 * c) * np.sin((x + y) / 41.0) for c in range(3)
    ]
    return np.clip(np.stack(chans, -1), 0, 255).astype(np.uint8)


def compare(variant, got, folder=None, tol=1e-4):
    """got: {npz array name: array already subsampled as meta['notes'] says}. Raises on mismatch."""
    import os

    folder = folder or os.path.dirname(os.path.abspath(__file__))
    with np.load(os.path.join(folder, variant + ".npz")) as ref:
        for name, arr in got.items():
            e = rel_err(arr, ref[name])
            assert e < tol, f"{variant}/{name}: max|diff|/std = {e:.2e} >= {tol}"
