"""Blocks that Keystone reads and never writes, as ggml itself dequantizes them -> test/golden/gguf/readTypes.json.

usage: python scripts/golden/gguf_types.py FOLDER

FOLDER holds ggml's shared libraries (libggml-base.so), for example bins/linux-x64 of the npm package @node-llama-cpp/linux-x64.
Random bytes, so that every code, scale and sign occurs, and in each type's places for constants finite ones. The gguf Python
package gives the same values wherever it knows the type.
"""

import base64
import ctypes
import json
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, quants

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "test" / "golden" / "gguf" / "readTypes.json"
# bytes of a block, weights of a block, where its f16 constants lie
TYPES = {
    "Q2_K": (84, 256, [80, 82]), "Q3_K": (110, 256, [108]), "Q4_K": (144, 256, [0, 2]), "Q5_K": (176, 256, [0, 2]),
    "Q6_K": (210, 256, [208]), "Q8_K": (292, 256, []), "IQ4_NL": (18, 32, [0]), "IQ4_XS": (136, 256, [0]),
    "TQ1_0": (54, 256, [52]), "TQ2_0": (66, 256, [64]), "MXFP4": (17, 32, []), "NVFP4": (36, 64, []), "Q1_0": (18, 128, [0]),
    "Q2_0": (18, 64, [0]),
}  # fmt: skip
# blocks that one could meet: of a file's constants none is infinite
CONSTANTS = np.array([0.0137, -0.0021, 6e-8, 1.5, 65504, 0.0, 3e-5, -0.75], np.float16)


def blocks_of(name: str, rng: np.random.Generator) -> np.ndarray:
    """Two super-blocks' worth of random blocks."""
    size, weights, constants = TYPES[name]
    blocks = rng.integers(0, 256, (512 // weights, size), dtype=np.uint8)
    for block, i in zip(blocks, range(len(blocks)), strict=True):
        for k, at in enumerate(constants):
            block[at : at + 2] = CONSTANTS[[(2 * i + k) % len(CONSTANTS)]].view(np.uint8)
    if name == "Q8_K":
        blocks[:, :4] = np.array([[0.00317], [-1.25e-6]], np.float32).view(np.uint8)
    if name == "MXFP4":  # powers of two, the subnormal ones among them
        blocks[:, 0] = np.resize(np.array([0, 1, 2, 120, 127, 128, 133, 200], np.uint8), len(blocks))
    if name == "NVFP4":  # four scales a block without a sign: zero, subnormal, largest, and the pattern of no number
        blocks[:, :4] = np.resize(np.array([0, 1, 7, 8, 0x38, 0x7E, 0x7F, 0x51], np.uint8), (len(blocks), 4))
    return np.ascontiguousarray(blocks)


def main() -> None:
    ggml = ctypes.CDLL(str(Path(sys.argv[1]) / "libggml-base.so"))
    ggml.ggml_version.restype = ctypes.c_char_p
    rng = np.random.default_rng(20261128)
    encode = lambda array: base64.b64encode(array.tobytes()).decode()  # noqa: E731
    out = []
    for name in TYPES:
        blocks = blocks_of(name, rng)
        values = np.zeros(512, np.float32)
        row = getattr(ggml, f"dequantize_row_{name.replace('Q', 'q', 1).lower().replace('_k', '_K')}")
        row(ctypes.c_void_p(blocks.ctypes.data), ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(512))
        assert np.isfinite(values).all(), name
        try:
            second = quants.dequantize(blocks.reshape(-1), GGMLQuantizationType[name])
            assert np.array_equal(second, values), name
        except (NotImplementedError, KeyError):
            print("gguf.quants does not know", name)
        out.append({"type": name, "bytes": encode(blocks), "values": encode(values)})
    versions = {"ggml": ggml.ggml_version().decode(), "gguf": getattr(gguf, "__version__", None) or "0.19.0"}
    TARGET.write_text(json.dumps({"versions": versions, "types": out}, indent=0) + "\n")


if __name__ == "__main__":
    main()
