"""Errors between a tiny checkpoint and a changed copy, by NumPy: test/golden/diff/llama-f32.json.

usage: python3 scripts/golden/diff.py > test/golden/diff/llama-f32.json

A is test/golden/transformers/llama-f32. In B weight i of every tensor is f32(w · 1.0625 + ((i mod 7) − 3) / 1024), but norms are
as they were. Made with NumPy 2.
"""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent.parent.parent / "test/golden/transformers/llama-f32"

data = (FOLDER / "model.safetensors").read_bytes()
length = int.from_bytes(data[:8], "little")
out = {}
squares = errors = 0.0
for name, entry in sorted(json.loads(data[8 : 8 + length]).items()):
    if name == "__metadata__":
        continue
    begin, end = entry["data_offsets"]
    assert entry["dtype"] == "F32"
    a = np.frombuffer(data[8 + length + begin : 8 + length + end], dtype="<f4").astype(np.float64)
    b = a if "norm" in name else (a * 1.0625 + (np.arange(a.size) % 7 - 3) / 1024).astype(np.float32).astype(np.float64)
    square, error = float(np.sum(a * a)), float(np.sum((a - b) ** 2))
    squares, errors = squares + square, errors + error
    out[name] = {
        "maxAbs": float(np.max(np.abs(a - b))),
        "relativeRms": float(np.sqrt(error / square)),
        "sqnrDb": float(10 * np.log10(square / error)) if error else None,
    }
pooled = {"relativeRms": float(np.sqrt(errors / squares)), "sqnrDb": float(10 * np.log10(squares / errors))}
print(json.dumps({"tensors": out, "pooled": pooled}, indent=1))
