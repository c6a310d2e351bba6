"""Golden bytes of onnxruntime's own MatMulNBits quantizer, and what onnxruntime dequantizes them to.

usage: python scripts/golden/matmulnbits.py        writes test/golden/onnx/matmulnbits.json

Needs numpy, onnx and onnxruntime (pip install onnx onnxruntime). Two f32 matrices: 6 x 272, whose rows no block but 16 divides, and
4 x 512. Rows hold exact halves of a step, equal extremes of both signs, blocks of one sign, of zeros and of tiny weights, and a spike.
Arrays are base64 of their little-endian bytes; of the dequantized weights there is a SHA-256. They come from running MatMulNBits
on the identity: each output is one weight.
"""

import base64
import hashlib
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.capi._pybind_state import quantize_matmul_4bits, quantize_matmul_8bits

OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "onnx" / "matmulnbits.json"
BLOCKS = [16, 32, 64, 128, 256]


def matrices():
    generator = np.random.Generator(np.random.PCG64(2411_07191))
    short = generator.normal(0, 0.05, (6, 272)).astype(np.float32)
    short[0, 40] = -3.25
    short[1] = np.resize(np.arange(-16, 16) / 32, 272)
    short[2] = np.resize([0.5, -0.5, 0.25, -0.1], 272)
    short[3, :136], short[3, 136:] = np.abs(short[3, :136]), -np.abs(short[3, 136:])
    short[4, :64] = 0
    short[5, 16:80] *= np.float32(1e-30)
    long = generator.standard_t(3, (4, 512)).astype(np.float32) * np.float32(0.02)
    long[3] = long[3].astype(np.float16)
    return {"short": short, "long": long}


def quantize(w, bits, block, symmetric):
    rows, columns = w.shape
    blocks = -(-columns // block)
    codes = np.zeros((rows, blocks, block * bits // 8), np.uint8)
    scales = np.zeros((rows, blocks), np.float32)
    zero_points = np.zeros((rows, -(-blocks * bits // 8)), np.uint8)
    run = quantize_matmul_4bits if bits == 4 else quantize_matmul_8bits
    run(codes, np.ascontiguousarray(w.T), scales, zero_points, block, rows, columns, symmetric)
    return codes, scales, None if symmetric else zero_points


def dequantize(shape, bits, block, parts):
    """The weights as onnxruntime's own operator sees them."""
    rows, columns = shape
    names = ["codes", "scales", "zero_points"]
    tensors = [numpy_helper.from_array(part, name) for part, name in zip(parts, names) if part is not None]
    node = helper.make_node(
        "MatMulNBits", ["x", *(tensor.name for tensor in tensors)], ["y"], domain="com.microsoft",
        K=columns, N=rows, bits=bits, block_size=block, accuracy_level=1,
    )
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "dequantize",
        [value("x", TensorProto.FLOAT, ["m", columns])], [value("y", TensorProto.FLOAT, ["m", rows])], tensors,
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.eye(columns, dtype=np.float32)})[0].T


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def case(name, w, bits, block, symmetric):
    parts = quantize(w, bits, block, symmetric)
    codes, scales, zero_points = parts
    values = np.ascontiguousarray(dequantize(w.shape, bits, block, parts)) + np.float32(0)
    return {
        "matrix": name, "bits": bits, "block": block, "symmetric": symmetric,
        "codes": text(codes), "scales": text(scales + np.float32(0)),
        "zeroPoints": None if zero_points is None else text(zero_points),
        "dequantized": hashlib.sha256(values.tobytes()).hexdigest(),
    }


def main():
    found = matrices()
    golden = {
        "versions": {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__},
        "matrices": {name: {"shape": w.shape, "weights": text(w)} for name, w in found.items()},
        "cases": [
            case(name, w, bits, block, symmetric)
            for name, w in found.items() for bits in (4, 8) for block in BLOCKS for symmetric in (True, False)
        ],
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
