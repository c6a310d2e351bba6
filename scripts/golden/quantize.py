"""Golden figures of the quantizer, written with PyTorch and NumPy from the published formulae, in float32.

usage: python scripts/golden/quantize.py        writes test/golden/quantize/golden.json

Weights: 8 x 48, f16 values, three planted outliers, one constant and one all-zero run. Every array is base64 of
little-endian f32. Elementwise arithmetic is f32 in the written form, sums are f64, torch.round is half to even.
"""

import base64
import json
import math
import pathlib

import numpy as np
import torch

ROWS, COLUMNS = 8, 48
OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "quantize" / "golden.json"

NF4 = [-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
       -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
       0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1]
NF3 = [-1, -0.5350227355957031, -0.2469314038753510, 0, 0.1833375245332718, 0.3819939494132996, 0.6229856610298157, 1]


def weights():
    generator = np.random.Generator(np.random.PCG64(411_07191))
    w = generator.normal(0, 0.02, (ROWS, COLUMNS))
    w[1, 5], w[3, 40], w[6, 0] = 1.9, -0.7, 0.31
    w[4, 16:32] = 0.013
    w[5, 0:16] = 0.0
    return torch.from_numpy(w.astype(np.float16).astype(np.float32))


def f16(x):
    """An f16 scale: 0 becomes the smallest f16."""
    y = x.to(torch.float16).to(torch.float32)
    return torch.where(y == 0, torch.tensor(2.0**-24), y)


def rtn(w, bits, _symmetric):
    lo, hi = w.min(), w.max()
    if lo == hi:
        return w.clone()
    s = (2**bits - 1) / (hi - lo)  # as the authors write it: PyTorch takes the reciprocal times the number
    return torch.round((w - lo) * s) / s + lo


def integer(w, bits, symmetric):
    if symmetric:
        top = 2 ** (bits - 1) - 1
        scale = f16(w.abs().max() / top)
        # + 0.0: codes are integers, which have no -0.
        return (torch.clamp(torch.round(w / scale), -top, top) + 0.0) * scale
    top = 2**bits - 1
    lo, hi = torch.clamp(w.min(), max=0), torch.clamp(w.max(), min=0)
    scale = f16((hi - lo) / top)
    zero = torch.clamp(torch.round(-lo / scale), 0, top)
    return (torch.clamp(torch.round(w / scale) + zero, 0, top) - zero) * scale


def nearest(x, bits):
    """Nearest level; argmin takes the first, so ties go to the lower. Distances in f64, where they are exact."""
    levels = torch.tensor(NF3 if bits == 3 else NF4, dtype=torch.float32)
    return levels[(x.double()[:, None] - levels.double()[None, :]).abs().argmin(1)]


def normal_float(w, bits, _symmetric):
    scale = f16(w.abs().max())
    return nearest(w / scale, bits) * scale


def normal_float_minmax(w, bits, _symmetric):
    lo, hi = w.min(), w.max()
    if lo == hi:
        return w.clone()
    s = torch.tensor(2.0) / (hi - lo)
    return (nearest((w - lo) * s - 1, bits) + 1) / s + lo


CODECS = {"rtn": rtn, "int": integer, "nf4": normal_float, "nf3": normal_float,
          "nf4-minmax": normal_float_minmax, "nf3-minmax": normal_float_minmax}


def block_indices(block):
    """Row-major indices of each block."""
    index = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    kind, _, size = block.partition(":")
    if kind == "group":
        return list(index.reshape(-1, int(size)))
    if kind == "channel":
        return list(index)
    if kind == "tensor":
        return [index.ravel()]
    if kind == "flat":
        return [index.ravel()[i:i + int(size)] for i in range(0, index.size, int(size))]
    r, c = map(int, size.split("x"))
    return [index[i:i + r, j:j + c].ravel() for i in range(0, ROWS, r) for j in range(0, COLUMNS, c)]


def kth_largest(w, k):
    return torch.topk(w.abs(), k).values[-1]


def threshold(w, clip, round_trip):
    a = w.abs().numpy().astype(np.float64)
    method, t = clip["method"], clip.get("threshold")
    if method == "zscore":
        return torch.tensor(a.mean() + t * (a.std(ddof=1) if a.size > 1 else 0.0), dtype=torch.float32)
    if method == "block-percentage":
        return kth_largest(w, min(max(math.floor(a.size * t + 1), 1), a.size))
    if method == "iqr":
        q1, q3 = np.quantile(a, [0.25, 0.75], method="linear")
        return torch.tensor(q3 + t * (q3 - q1), dtype=torch.float32)
    best, least = None, math.inf
    for percent in range(100, 49, -1):
        cut = torch.tensor(percent / 100 * a.max(), dtype=torch.float32)
        error = ((w.double() - round_trip(torch.clamp(w, -cut, cut)).double()) ** 2).sum().item()
        if error < least:
            best, least = cut, error
    return best


STORAGE = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def variant(w, case):
    flat = w.ravel()
    working = flat.clone()
    restored = case["restore"]
    if isinstance(restored, dict):
        restored = np.argsort(-flat.abs().numpy(), kind="stable")[: restored["largest"]].tolist()
    blocks = block_indices(case["block"])
    if case["holdOut"]:
        for block in blocks:
            others = [i for i in block if i not in restored]
            median = torch.tensor(float(np.median(flat[others].numpy().astype(np.float64))), dtype=torch.float32)
            for i in set(block) & set(restored):
                working[i] = median
    codec = CODECS[case["codec"]]
    round_trip = lambda x: codec(x, case["bits"], case["symmetric"])
    clip = case["clip"]
    of_tensor = None
    if clip and clip["method"] == "tensor-percentage":
        of_tensor = kth_largest(working, max(math.floor(working.numel() * clip["threshold"]), 1))
    out = torch.empty_like(flat)
    for block in blocks:
        part = working[torch.from_numpy(block)]
        if clip:
            t = of_tensor if of_tensor is not None else threshold(part, clip, round_trip)
            part = torch.clamp(part, -t, t)
        out[torch.from_numpy(block)] = round_trip(part).to(STORAGE[case["storage"]]).to(torch.float32)
    out[restored] = flat[restored]
    return out


def case(codec, bits, block, symmetric=False, clip=None, restore=(), hold_out=False, storage="F16"):
    restore = restore if isinstance(restore, dict) else list(restore)
    return {"codec": codec, "bits": bits, "symmetric": symmetric, "block": block, "clip": clip,
            "restore": restore, "holdOut": hold_out, "storage": storage}


def cases():
    outliers = [COLUMNS + 5, 3 * COLUMNS + 40]
    clips = [{"method": "zscore", "threshold": 3}, {"method": "block-percentage", "threshold": 0.05},
             {"method": "tensor-percentage", "threshold": 0.01}, {"method": "iqr", "threshold": 1.5}, {"method": "mse"}]
    for bits in (2, 3, 4, 8):
        yield case("rtn", bits, "flat:100")
        yield case("int", bits, "group:16")
        yield case("int", bits, "group:16", symmetric=True)
    for codec, bits in (("nf4", 4), ("nf3", 3), ("nf4-minmax", 4), ("nf3-minmax", 3)):
        yield case(codec, bits, "group:16")
        yield case(codec, bits, "channel", clip=clips[0], restore=outliers)
    for block in ("group:8", "channel", "tensor", "flat:64", "flat:1000", "tile:4x12"):
        yield case("rtn", 4, block)
    for clip in clips:
        for block in ("channel", "tensor", "tile:4x12"):
            yield case("rtn", 4, block, clip=clip)
        yield case("int", 4, "channel", clip=clip, restore=outliers)
    for block in ("channel", "tensor", "flat:100", "tile:4x12"):
        yield case("rtn", 4, block, restore=outliers, hold_out=True)
        yield case("rtn", 3, block, clip=clips[0], restore=outliers, hold_out=True)
    yield case("rtn", 4, "tensor", restore=outliers)
    yield case("rtn", 4, "tensor", restore={"largest": 20}, clip=clips[0])
    yield case("int", 4, "tensor", restore={"largest": 20}, hold_out=True)
    for storage in ("F32", "BF16"):
        yield case("rtn", 4, "channel", storage=storage)
        yield case("nf4", 4, "channel", storage=storage)


def base(x):
    return base64.b64encode(x.numpy().astype("<f4").tobytes()).decode()


if __name__ == "__main__":
    w = weights()
    rows = []
    for c in cases():
        out = variant(w, c)
        error = ((w.ravel().double() - out.double()) ** 2).sum().item()
        rows.append({**c, "sqnrDb": 10 * math.log10((w.double() ** 2).sum().item() / error), "out": base(out)})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    head = json.dumps({"rows": ROWS, "columns": COLUMNS, "weights": base(w)})[:-1]
    OUT.write_text(head + ', "cases": [\n' + ",\n".join(json.dumps(r) for r in rows) + "\n]}\n")
    print(len(rows), "cases,", OUT.stat().st_size, "bytes")
