"""Matrices of 8- and 4-bit floats as checkpoints hold them, and the weights that transformers and compressed-tensors unpack.

    python scripts/golden/float_weights.py        writes test/golden/packed/floats.json

Needs torch, transformers and compressed-tensors. A case: how config.json names the packing and the model's type, tensors (dtype, shape, bytes as
base64), the weight's name, and its values' bytes in the type that it is unpacked to.
"""

import base64
import json
from pathlib import Path

import compressed_tensors
import torch
import transformers
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from transformers.integrations.finegrained_fp8 import Fp8Dequantize
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

OUT = Path("test/golden/packed/floats.json")
NAMES = {
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2", torch.float32: "F32", torch.bfloat16: "BF16",
    torch.float16: "F16", torch.uint8: "U8", torch.float8_e8m0fnu: "F8_E8M0",
}
TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
BASE = "model.layers.0.mlp.down_proj.weight"
EXPERTS = "model.layers.0.mlp.experts.gate_up_proj"
torch.manual_seed(7)


def stored(tensor):
    data = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data": base64.b64encode(data).decode()}


def case(name, config, dtype, tensors, weight, values):
    return {
        "name": name, "config": {"quantization_config": config, **dtype}, "weight": weight, "values": stored(values),
        "tensors": {key: stored(tensor) for key, tensor in tensors.items()},
    }


def every(dtype, rows, columns):
    """Every byte of the type that is a number, in some order."""
    bytes_ = torch.arange(256, dtype=torch.uint8)
    finite = bytes_[bytes_.view(dtype).float().isfinite()]
    order = torch.randint(len(finite), (rows * columns,))
    order[: len(finite)] = torch.arange(len(finite))
    return finite[order].view(dtype).reshape(rows, columns)


def fp8(name, codes, scale, dtype, config, suffix="_scale_inv", field="dtype"):
    values = Fp8Dequantize(None)._dequantize_one(codes, scale, TYPES[dtype])
    return case(name, {"quant_method": "fp8", **config}, {field: dtype}, {BASE: codes, BASE + suffix: scale}, BASE, values)


def ragged(name, codes, scale, block):
    """DeepSeek's own weight_dequant, whose last blocks may be smaller."""
    rows, columns = codes.shape
    whole = scale.repeat_interleave(block[0], 0)[:rows].repeat_interleave(block[1], 1)[:, :columns]
    values = (codes.float() * whole).to(torch.bfloat16)
    return case(
        name, {"quant_method": "fp8", "weight_block_size": block}, {"torch_dtype": "bfloat16"},
        {BASE: codes, BASE + "_scale_inv": scale}, BASE, values,
    )


def compressed(name, format, args, tensors, quantization_config):
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**args), format=format)
    local = {key.removeprefix(BASE.removesuffix("weight")): tensor for key, tensor in tensors.items()}
    values = BaseCompressor.get_value_from_registry(format).decompress(local, scheme)["weight"]
    config = {
        "quant_method": "compressed-tensors", "format": format,
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": quantization_config}},
    }
    return case(name, config, {"dtype": "bfloat16"}, tensors, BASE, values)


def main():
    e4m3, e5m2 = torch.float8_e4m3fn, torch.float8_e5m2
    positive = lambda *shape: (torch.rand(shape) + 0.1) * 0.01  # noqa: E731
    group = {"num_bits": 4, "type": "float", "symmetric": True}
    channel = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "channel"}
    tensor = {**channel, "strategy": "tensor"}
    block = {**channel, "strategy": "block", "block_structure": [16, 32]}
    codes = torch.randint(256, (8, 32), dtype=torch.uint8)
    cases = [
        fp8("blocks", every(e4m3, 32, 64), positive(2, 2), "bfloat16", {"weight_block_size": [16, 32]}),
        fp8("blocks in F16", every(e4m3, 32, 64), positive(2, 2), "float16", {"weight_block_size": [16, 32]}, field="torch_dtype"),
        fp8("exponents as scales", every(e4m3, 32, 64), torch.randint(110, 135, (2, 2), dtype=torch.uint8).view(torch.float8_e8m0fnu), "bfloat16", {}),
        fp8("one scale, activations too", every(e4m3, 16, 32), positive(1, 1), "bfloat16", {"activation_scheme": "static"}, "_scale"),
        fp8("one scale a row", every(e4m3, 16, 32), positive(16, 1), "float32", {}, "_scale"),
        fp8("E5M2, one scale", every(e5m2, 16, 32), positive(1, 1), "bfloat16", {}, "_scale"),
        ragged("blocks that do not divide", every(e4m3, 20, 40), positive(2, 2), [16, 32]),
        compressed("compressed-tensors, rows", "float-quantized", channel, {BASE: every(e4m3, 16, 32), BASE + "_scale": positive(16, 1).bfloat16()}, channel),
        compressed("compressed-tensors, one scale", "float-quantized", tensor, {BASE: every(e4m3, 16, 32), BASE + "_scale": positive(1)}, tensor),
        compressed("compressed-tensors, blocks", "float-quantized", block, {BASE: every(e4m3, 32, 64), BASE + "_scale": positive(2, 2)}, block),
        compressed(
            "NVFP4", "nvfp4-pack-quantized", {**group, "strategy": "tensor_group", "group_size": 16},
            {BASE + "_packed": codes, BASE + "_scale": (positive(8, 4) * 2e4).to(e4m3), BASE + "_global_scale": torch.tensor([731.5])},
            {**group, "strategy": "tensor_group", "group_size": 16},
        ),
        compressed(
            "MXFP4", "mxfp4-pack-quantized", {**group, "strategy": "group", "group_size": 32},
            {BASE + "_packed": codes, BASE + "_scale": torch.randint(110, 130, (8, 2), dtype=torch.uint8)},
            {**group, "strategy": "group", "group_size": 32},
        ),
    ]
    blocks = torch.randint(256, (2, 8, 2, 16), dtype=torch.uint8)
    scales = torch.randint(110, 130, (2, 8, 2), dtype=torch.uint8)
    cases.append(case(
        "gpt-oss", {"quant_method": "mxfp4"}, {"dtype": "bfloat16"}, {EXPERTS + "_blocks": blocks, EXPERTS + "_scales": scales}, EXPERTS,
        convert_moe_packed_tensors(blocks, scales),
    ))
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "compressed-tensors": compressed_tensors.__version__}
    OUT.write_text(json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")) + "\n")


main()
