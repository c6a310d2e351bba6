"""Packed modules in layouts that tools seldom write and loaders still meet, with the weights that they mean.

usage: python scripts/golden/packed_layouts.py        writes test/golden/packed/layouts.json

Needs NumPy alone. Every module is made from codes, zero points and scales, and packed bit by bit as the formats define it:
  GPTQ                AutoGPTQ's qlinear: qweight, qzeros (version 1: zero point less one; version 2: as it is), scales, g_idx;
                      w = scale * (code - zero point)
  AWQ (gemm)          AutoAWQ's WQLinear_GEMM: eight rows a word in the order 0 2 4 6 1 3 5 7; w = (code - zero point) * scale
  compressed-tensors  pack-quantized: signed codes plus half the levels; int-quantized: signed bytes; w = (code - zero) * scale
The group of column c is c // group_size, whatever is left for the last group. Scales are powers of two and F16 holds every weight.
Arrays are base64 of little-endian bytes; weights are f32, row-major.
"""

import base64
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "packed" / "layouts.json"
ROWS = 16
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]
random = np.random.Generator(np.random.PCG64(2411_07191))


def dense(codes, bits):
    """Words of one run of codes, the first lowest."""
    stream = sum(int(code) << (bits * i) for i, code in enumerate(codes))
    count = -(-len(codes) * bits // 32)
    return [(stream >> (32 * i)) & 0xFFFFFFFF for i in range(count)]


def tensor(values, dtype):
    values = np.array(values, order="C")
    kinds = {"I32": np.uint32, "F16": np.float16, "I8": np.int8, "I64": np.int64}
    return {"dtype": dtype, "shape": list(values.shape),
            "data": base64.b64encode(values.astype(kinds[dtype]).tobytes()).decode()}


def drawn(columns, groups, bits, symmetric):
    codes = random.integers(0, 2**bits, (ROWS, columns))
    zeros = np.full((ROWS, groups), 2 ** (bits - 1)) if symmetric else random.integers(1, 2**bits - 1, (ROWS, groups))
    scales = 2.0 ** random.integers(-6, -1, (ROWS, groups))
    return codes, zeros, scales


def meant(codes, zeros, scales, group_of):
    return (codes - zeros[:, group_of]) * scales[:, group_of]


def gptq(columns, size, bits=4, symmetric=True, stored=1, index=None):
    groups = -(-columns // size)
    codes, zeros, scales = drawn(columns, groups, bits, symmetric)
    order = np.arange(columns) // size if index is None or isinstance(index, str) else index
    tensors = {
        "qweight": tensor(np.array([dense(row, bits) for row in codes]).T, "I32"),
        "qzeros": tensor([dense(zeros[:, g] - (2 - stored), bits) for g in range(groups)], "I32"),
        "scales": tensor(scales.T, "F16"),
    }
    if index is not None:
        tensors["g_idx"] = tensor(np.zeros(columns) if isinstance(index, str) else index, "I32")
    return tensors, meant(codes, zeros, scales, order)


def awq(columns, size):
    groups = -(-columns // size)
    codes, zeros, scales = drawn(columns, groups, 4, False)
    words = lambda lines: [[dense([line[8 * w + k] for k in AWQ_ORDER], 4)[0] for w in range(ROWS // 8)] for line in lines]
    tensors = {"qweight": tensor(words(codes.T), "I32"), "qzeros": tensor(words(zeros.T), "I32"),
               "scales": tensor(scales.T, "F16")}
    return tensors, meant(codes, zeros, scales, np.arange(columns) // size)


def compressed(columns, size, symmetric):
    groups = -(-columns // size)
    codes, zeros, scales = drawn(columns, groups, 4, symmetric)
    tensors = {"weight_packed": tensor([dense(row, 4) for row in codes], "I32"), "weight_scale": tensor(scales, "F16"),
               "weight_shape": tensor(np.array([ROWS, columns]), "I64")}
    if not symmetric:
        tensors["weight_zero_point"] = tensor(np.array([dense(zeros[:, g], 4) for g in range(groups)]).T, "I32")
    return tensors, meant(codes, zeros, scales, np.arange(columns) // size)


def per_tensor(shape, symmetric, packed):
    """One scale, and where asymmetric one zero point, for the whole matrix."""
    bits, columns = (4 if packed else 8), 24
    codes = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (ROWS, columns))
    scale, zero = 2.0**-5, (0 if symmetric else -3)
    tensors = {"weight_scale": tensor(np.full(shape, scale), "F16")}
    if packed:
        tensors["weight_packed"] = tensor([dense(row + 8, 4) for row in codes], "I32")
        tensors["weight_shape"] = tensor(np.array([ROWS, columns]), "I64")
    else:
        tensors["weight"] = tensor(codes, "I8")
    if not symmetric:
        tensors["weight_zero_point"] = tensor(np.full(shape, zero), "I8")
    return tensors, (codes - zero) * scale


def ct_config(format, bits, **weights):
    group = {"targets": ["Linear"], "weights": {"num_bits": bits, "type": "int", **weights}}
    return {"quant_method": "compressed-tensors", "format": format, "config_groups": {"group_0": group}}


def main():
    shuffled = random.permutation(np.arange(48) // 32)
    gptq_config = lambda **more: {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": False, "sym": True,
                                  "checkpoint_format": "gptq", **more}
    awq_config = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}
    group = lambda symmetric: ct_config("pack-quantized", 4, strategy="group", group_size=32, symmetric=symmetric)
    whole = lambda format, bits, symmetric: ct_config(format, bits, strategy="tensor", symmetric=symmetric)
    cases = [
        ("GPTQ, a last group of 16 columns, no g_idx", gptq_config(), gptq(48, 32)),
        ("GPTQ with 3 bits, a last group of 32 columns, no g_idx", gptq_config(bits=3, group_size=64), gptq(96, 64, bits=3)),
        ("GPTQ, a last group of 16 columns, g_idx in order", gptq_config(), gptq(48, 32, index=np.arange(48) // 32)),
        ("GPTQ, columns in another order, a last group of 16", gptq_config(desc_act=True), gptq(48, 32, index=shuffled)),
        ("GPTQ, g_idx of zeros beside two even groups", gptq_config(), gptq(64, 32, index="zero")),
        ("GPTQ, g_idx of zeros beside a short last group", gptq_config(), gptq(48, 32, index="zero")),
        ("GPTQ, g_idx of zeros beside one group", gptq_config(group_size=-1), gptq(48, 48, index="zero")),
        ("GPTQ, symmetric, version 2 in a file that says version 1", gptq_config(), gptq(64, 32, stored=2)),
        ("GPTQ with 8 bits, version 2 in a file that says version 1", gptq_config(bits=8), gptq(64, 32, bits=8, stored=2)),
        ("GPTQ with 3 bits, version 2 in a file that says version 1", gptq_config(bits=3), gptq(64, 32, bits=3, stored=2)),
        ("GPTQ, symmetric, version 1 in a file that says version 2", gptq_config(checkpoint_format="gptq_v2"), gptq(64, 32)),
        ("GPTQ, asymmetric, version 1", gptq_config(sym=False), gptq(64, 32, symmetric=False)),
        ("GPTQ, asymmetric, version 2", gptq_config(sym=False, checkpoint_format="gptq_v2"), gptq(64, 32, symmetric=False, stored=2)),
        ("AWQ, a last group of 16 columns", awq_config, awq(48, 32)),
        ("AWQ, a row shorter than the group", awq_config, awq(24, 32)),
        ("compressed-tensors, a last group of 16 columns", group(True), compressed(48, 32, True)),
        ("compressed-tensors with zero points, a last group of 16 columns", group(False), compressed(48, 32, False)),
        ("compressed-tensors, bytes with one scale [1]", whole("int-quantized", 8, True), per_tensor([1], True, False)),
        ("compressed-tensors, bytes with one scale []", whole("int-quantized", 8, True), per_tensor([], True, False)),
        ("compressed-tensors, bytes with one scale and zero point [1]", whole("int-quantized", 8, False), per_tensor([1], False, False)),
        ("compressed-tensors, packed, one scale and zero point [1]", whole("pack-quantized", 4, False), per_tensor([1], False, True)),
    ]
    golden = [{"case": case, "config": config, "tensors": tensors, "shape": list(weights.shape),
               "weights": base64.b64encode(weights.astype(np.float32).tobytes()).decode()}
              for case, config, (tensors, weights) in cases]
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


main()
