"""Blocks quantized by ggml itself -> test/golden/gguf/blocks.json, bytes and dequantized values.

usage: python scripts/golden/gguf_quants.py FOLDER

FOLDER holds ggml's shared libraries (libggml-base.so), for example bins/linux-x64 of the npm package
@node-llama-cpp/linux-x64. The gguf Python package (gguf.quants) quantizes the same weights a second time; where both
agree the fixture says so, and where they do not (infinite reciprocals of subnormal scales) ggml's own bytes count.
"""

import base64
import ctypes
import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "test" / "golden" / "gguf" / "blocks.json"
TYPES = {"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8}
HALVES = {"f16": (1, "ggml_fp16_to_fp32_row"), "bf16": (30, "ggml_bf16_to_fp32_row")}
BYTES = {"q4_0": 18, "q4_1": 20, "q5_0": 22, "q5_1": 24, "q8_0": 34}


def cases() -> dict[str, np.ndarray]:
    """Name -> weights, a multiple of 32 each; f32."""
    rng = np.random.default_rng(20241107)
    normal = rng.normal(0, 0.02, 32 * 24).astype(np.float32)
    outlier = rng.normal(0, 0.02, 32 * 4).astype(np.float32)
    outlier[[5, 40, 70, 127]] = [1.9, -2.4, 0.7, -0.7]
    ties = rng.normal(0, 0.01, 32 * 4).astype(np.float32)
    ties[[3, 9]] = [0.5, -0.5]
    ties[[32 + 3, 32 + 9]] = [-0.5, 0.5]
    ties[64:96] = np.tile(np.array([0.25, -0.25], np.float32), 16)
    ties[96:128] = np.tile(np.array([-0.25, 0.25], np.float32), 16)
    halves = (np.arange(64, dtype=np.float32) - 32) / 2
    half_steps = np.concatenate([np.linspace(-127, 127, 63, dtype=np.float32) / 2, [np.float32(63.5)]])
    signed_zeros = np.zeros(32 * 4, np.float32)
    signed_zeros[32:64] = -0.0
    signed_zeros[64:96] = np.tile(np.array([0.0, -0.0, 1.0, 0.5], np.float32), 8)
    signed_zeros[96:128] = np.tile(np.array([-0.0, 0.0, 1.0, 0.5], np.float32), 8)
    constant = np.repeat(np.array([0.1, -0.1, 3.0, 1e-4], np.float32), 32)
    single = np.zeros(32 * 2, np.float32)
    single[[7, 50]] = [0.3, -0.3]
    # the f16 scale is subnormal, then 0; then the reciprocal of the f32 scale is infinite
    small = np.concatenate([normal[:32] * np.float32(f) for f in (1e-4, 1e-6, 1e-7, 1e-20, 1e-36, 1e-37, 1e-38)])
    # the largest whose constants are finite f16 for every type
    huge = np.concatenate([normal[:32] / np.abs(normal[:32]).max() * np.float32(f) for f in (1e3, 6e4, 65504)])
    bf16 = (normal[:128].view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    f16 = normal[:128].astype(np.float16).astype(np.float32)
    named = {
        "normal": normal, "outlier": outlier, "ties": ties, "halves": halves, "halfSteps": half_steps,
        "signedZeros": signed_zeros, "constant": constant, "single": single, "small": small, "huge": huge,
        "bf16": bf16, "f16": f16, "positive": np.abs(normal[:64]), "negative": -np.abs(normal[:64]),
    }  # fmt: skip
    return {name: np.ascontiguousarray(values, np.float32) for name, values in named.items()}


def half_cases() -> dict[str, np.ndarray]:
    """The same, and weights half way between two neighbours of each type, subnormal and largest ones."""
    pattern = lambda values: np.array(values, np.uint32).view(np.float32)  # noqa: E731
    some = {name: weights for name, weights in cases().items() if name in ("normal", "signedZeros", "small", "halfSteps")}
    ties_f16 = pattern([(0x3C000000 + 0x1000 * i) | sign for i in range(1, 32, 2) for sign in (0, 0x80000000)])
    ties_bf16 = pattern([(0x3C000000 + 0x8000 * i) | sign for i in range(1, 32, 2) for sign in (0, 0x80000000)])
    subnormal = pattern([0x33000000 + 0x155555 * i for i in range(32)])
    largest = np.array([65504, -65504, 65519.996, -65519.996] * 8, np.float32)
    return {**some, "tiesF16": ties_f16, "tiesBf16": ties_bf16, "subnormal": subnormal, "largest": largest}


def main() -> None:
    ggml = ctypes.CDLL(str(Path(sys.argv[1]) / "libggml-base.so"))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
    ]  # fmt: skip
    ggml.ggml_version.restype = ctypes.c_char_p
    out = []
    for name, weights in cases().items():
        for codec, code in TYPES.items():
            packed = np.zeros(weights.size // 32 * BYTES[codec], np.uint8)
            written = ggml.ggml_quantize_chunk(code, weights.ctypes.data, packed.ctypes.data, 0, 1, weights.size, None)
            assert written == packed.size
            values = np.zeros(weights.size, np.float32)
            row = getattr(ggml, f"dequantize_row_{codec}")
            row(ctypes.c_void_p(packed.ctypes.data), ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(weights.size))
            with np.errstate(all="ignore"):
                second = quants.quantize(weights.reshape(1, -1), GGMLQuantizationType(code)).reshape(-1)
            encode = lambda array: base64.b64encode(array.tobytes()).decode()  # noqa: E731
            out.append({
                "name": name, "codec": codec, "weights": encode(weights), "bytes": encode(packed),
                "values": encode(values), "pythonAgrees": bool(np.array_equal(second, packed)),
            })  # fmt: skip
    super_blocks = []
    weights = np.random.default_rng(7).normal(0, 0.02, 512).astype(np.float32)
    weights[[100, 300]] = [0.9, -0.6]
    for codec, (code, size) in {"Q4_K": (12, 144), "Q5_K": (13, 176), "Q6_K": (14, 210)}.items():
        packed = np.zeros(weights.size // 256 * size, np.uint8)
        ggml.ggml_quantize_chunk(code, weights.ctypes.data, packed.ctypes.data, 0, 1, weights.size, None)
        values = np.zeros(weights.size, np.float32)
        row = getattr(ggml, f"dequantize_row_{codec.replace('Q', 'q')}")
        row(ctypes.c_void_p(packed.ctypes.data), ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(weights.size))
        second = quants.dequantize(packed, GGMLQuantizationType(code))
        assert np.array_equal(second, values), codec
        super_blocks.append({
            "type": codec, "bytes": base64.b64encode(packed.tobytes()).decode(),
            "values": base64.b64encode(values.tobytes()).decode(),
        })  # fmt: skip
    halves = []
    for name, weights in half_cases().items():
        for codec, (code, widen) in HALVES.items():
            packed = np.zeros(weights.size, np.uint16)
            ggml.ggml_quantize_chunk(code, weights.ctypes.data, packed.ctypes.data, 0, 1, weights.size, None)
            values = np.zeros(weights.size, np.float32)
            getattr(ggml, widen)(ctypes.c_void_p(packed.ctypes.data), ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(weights.size))
            encode = lambda array: base64.b64encode(array.tobytes()).decode()  # noqa: E731
            halves.append({
                "name": name, "codec": codec, "weights": encode(weights), "bytes": encode(packed), "values": encode(values),
            })  # fmt: skip
    import gguf

    versions = {"ggml": ggml.ggml_version().decode(), "gguf": getattr(gguf, "__version__", None) or "0.19.0"}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps({"versions": versions, "cases": out, "halves": halves, "superBlocks": super_blocks}, indent=0) + "\n")
    for case in out:
        if not case["pythonAgrees"]:
            print("gguf.quants differs from ggml:", case["name"], case["codec"])


if __name__ == "__main__":
    main()
