"""What mlx.core.quantize and dequantize make of a matrix: codes as packed, scales, biases, and the dequantized weights.

usage: python scripts/golden/mlx_affine.py > test/golden/mlx/golden.json        (needs mlx 0.32 and numpy; runs on a CPU)

The weights are numbers that BF16, F16 and F32 all hold, so that one matrix serves every type. Rows are chosen for the cases of the
equations: zeros, tiny weights, one sign only, outliers of either sign, equal weights.
"""

import base64
import hashlib
import json

import mlx.core as mx
import numpy as np

ROWS, COLUMNS = 8, 128
TYPES = {"F32": mx.float32, "F16": mx.float16, "BF16": mx.bfloat16}
CASES = [(bits, group, dtype) for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128) for dtype in TYPES]


def matrix():
    weights = np.random.default_rng(7).standard_normal((ROWS, COLUMNS)).astype(np.float32) * 0.02
    weights[0] = 0
    weights[1] *= 1e-3
    weights[2] = np.abs(weights[2])
    weights[3] = -np.abs(weights[3])
    weights[4, ::9] *= 40
    weights[5] = 0.015625
    weights[6] *= 1000
    return np.array(mx.array(weights).astype(mx.bfloat16).astype(mx.float16).astype(mx.float32))


def raw(array):
    """An mlx array's bytes, little-endian."""
    whole = {2: mx.uint16, 4: mx.uint32}[array.dtype.size]
    return base64.b64encode(np.array(array.view(whole)).tobytes()).decode()


def main():
    mx.set_default_device(mx.cpu)
    weights = matrix()
    cases = []
    for bits, group, dtype in CASES:
        held = mx.array(weights).astype(TYPES[dtype])
        packed, scales, biases = mx.quantize(held, group_size=group, bits=bits)
        values = mx.dequantize(packed, scales, biases, group_size=group, bits=bits).astype(mx.float32)
        digest = hashlib.sha256(np.array(values).tobytes()).hexdigest()
        tensors = {"weight": raw(packed), "scales": raw(scales), "biases": raw(biases)}
        cases.append({"bits": bits, "group": group, "dtype": dtype, "tensors": tensors, "dequantized": digest})
    encoded = base64.b64encode(weights.tobytes()).decode()
    print(json.dumps({"mlx": mx.__version__, "rows": ROWS, "columns": COLUMNS, "weights": encoded, "cases": cases}))


main()
