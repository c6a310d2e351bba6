"""Super-blocks quantized by ggml itself, without and with importance -> test/golden/gguf/superBlocks.json.

usage: python scripts/golden/gguf_super_blocks.py FOLDER

FOLDER holds ggml's shared libraries (libggml-base.so), for example bins/linux-x64 of the npm package @node-llama-cpp/linux-x64.
Bytes of a row of 512 weights. The library is built for x86-64 without fused multiply-add: every product and sum is rounded.
"""

import base64
import ctypes
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "test" / "golden" / "gguf" / "superBlocks.json"
# number of the type, bytes of a block, weights of a block
TYPES = {
    "Q2_K": (10, 84, 256), "Q3_K": (11, 110, 256), "Q4_K": (12, 144, 256), "Q5_K": (13, 176, 256), "Q6_K": (14, 210, 256),
    "IQ4_NL": (20, 18, 32), "IQ4_XS": (23, 136, 256),
}  # fmt: skip
WEIGHTS = 512


def cases() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20261129)
    normal = rng.normal(0, 0.02, WEIGHTS).astype(np.float32)
    heavy = (rng.standard_t(2.5, WEIGHTS) * 0.015).astype(np.float32)
    outlier = rng.normal(0, 0.02, WEIGHTS).astype(np.float32)
    outlier[[100, 300]] = [1.9, -2.4]
    bf16 = (rng.normal(0, 0.03, WEIGHTS).astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    # runs of zeros, of one value, of one sign, and a single weight
    runs = np.zeros(WEIGHTS, np.float32)
    runs[32:64], runs[64:96] = 0.1, -0.1
    runs[96:128] = np.abs(normal[96:128])
    runs[128:160] = -np.abs(normal[128:160])
    runs[170], runs[200] = 0.3, -0.3
    # all but constant: what the search narrows to has hardly any width
    runs[256:288] = -1 - np.arange(32, dtype=np.float32) * np.float32(1e-7)
    runs[288:320] = -1 + (np.arange(32) == 7) * np.float32(0.25)
    runs[320:512] = np.tile(np.array([0.25, -0.25, 0.5, -0.5], np.float32), 48)
    small = normal.copy()
    small[:256] *= np.float32(1e-6)
    small[256:] *= np.float32(1e-17)
    return {"normal": normal, "heavy": heavy, "outlier": outlier, "bf16": bf16, "runs": runs, "small": small}


def importance() -> np.ndarray:
    """Mean squares of a column as a calibration has them: of all sizes, some of columns that are never used."""
    rng = np.random.default_rng(5)
    squares = np.exp(rng.normal(0, 1.5, WEIGHTS)).astype(np.float32)
    squares[[3, 77, 400]] = [900, 0, 0.0001]
    return squares


def quantized(ggml: ctypes.CDLL, code: int, size: int, row: np.ndarray, squares: np.ndarray | None) -> np.ndarray:
    packed = np.zeros(size, np.uint8)
    written = ggml.ggml_quantize_chunk(
        code, row.ctypes.data, packed.ctypes.data, 0, 1, row.size, None if squares is None else squares.ctypes.data
    )
    assert written == size
    return packed


def load(folder: str) -> ctypes.CDLL:
    ggml = ctypes.CDLL(str(Path(folder) / "libggml-base.so"))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
    ]  # fmt: skip
    ggml.ggml_version.restype = ctypes.c_char_p
    return ggml


def main() -> None:
    ggml = load(sys.argv[1])
    encode = lambda array: base64.b64encode(array.tobytes()).decode()  # noqa: E731
    squares = importance()
    rows = {}
    for name, row in cases().items():
        bytes_of = lambda weighing: {  # noqa: E731
            kind: encode(quantized(ggml, code, WEIGHTS // weights * size, row, weighing))
            for kind, (code, size, weights) in TYPES.items()
        }
        rows[name] = {"weights": encode(row), "plain": bytes_of(None), "weighed": bytes_of(squares)}
    out = {"ggml": ggml.ggml_version().decode(), "importance": encode(squares), "rows": rows}
    TARGET.write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
