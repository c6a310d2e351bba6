"""Golden files of the packed formats, made by the peers' own quantizers and packers from fixed weights.

usage: python scripts/golden/packed.py        writes test/golden/packed/golden.json

Needs torch, compressed-tensors, gptqmodel and autoawq (pip install compressed-tensors gptqmodel; pip install --no-deps autoawq;
no GPU). Weights: 32 x 64, f16 values of both signs in every group, exact ties, a spike and a group of zeros.
Arrays are base64 of their little-endian bytes; of the dequantized weights, as f32, there is a SHA-256. Quantizers are called on f32 tensors: GPTQ's does so itself, and so do
compressed-tensors' GPU kernels; on half tensors its CPU path rounds every step to half precision.
"""

import base64
import hashlib
import importlib.metadata
import json
import pathlib
import types

import numpy as np
import torch
from awq.modules.linear.gemm import WQLinear_GEMM
from awq.quantize.quantizer import AwqQuantizer
from awq.utils.packing_utils import dequantize_gemm
from compressed_tensors.compressors.pack_quantized import PackedQuantizationCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from compressed_tensors.quantization.utils import calculate_qparams
from gptqmodel.nn_modules.qlinear.torch import TorchLinear
from gptqmodel.nn_modules.qlinear.torch_awq import AwqTorchLinear
from gptqmodel.quantization.quantizer import Quantizer
from gptqmodel.utils.model import convert_gptq_v2_to_v1_format_module

ROWS, COLUMNS, GROUP = 32, 64, 32
OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "packed" / "golden.json"
DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}


def weights():
    generator = np.random.Generator(np.random.PCG64(2411_07191))
    w = generator.normal(0, 0.02, (ROWS, COLUMNS))
    w[3, 40] = -1.7
    # scales of exactly 2^-6: symmetric over 15 and 255 steps, asymmetric with a zero point of 3
    steps = np.arange(-15, 16) / 2
    w[5, 0:31], w[5, 31] = steps / 64, 7.5 / 64
    w[6, 32:63], w[6, 63] = np.clip(steps, -3, 12) / 64, 12 / 64
    w[7, 0:31], w[7, 31] = np.clip(steps, -8, 7) / 64, -8 / 64
    w[9, 0:GROUP] = 0
    return torch.from_numpy(w.astype(np.float16).astype(np.float32))


def text(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return base64.b64encode(tensor.numpy().tobytes()).decode()


def compressed_tensors(w, bits, symmetric, block, dtype):
    group = GROUP if block.startswith("group") else COLUMNS
    strategy = "group" if block.startswith("group") else "channel"
    args = QuantizationArgs(num_bits=bits, symmetric=symmetric, strategy=strategy, scale_dtype=DTYPES[dtype],
                            group_size=GROUP if strategy == "group" else None)
    grouped = w.reshape(ROWS, -1, group)
    scale, zero = calculate_qparams(grouped.amin(-1), grouped.amax(-1), args)
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    packed = PackedQuantizationCompressor.compress(
        {"weight": w, "weight_scale": scale, "weight_zero_point": zero}, scheme)
    packed["weight_scale"] = packed["weight_scale"].to(DTYPES[dtype])
    dequantized = PackedQuantizationCompressor.decompress(dict(packed), scheme)["weight"]
    tensors = {name: packed[name] for name in packed if name.startswith("weight_")}
    return {"tensors": tensors, "dequantized": dequantized.to(torch.float32)}


def gptq(w, bits, symmetric, block):
    group = GROUP if block.startswith("group") else COLUMNS
    quantizer = Quantizer(types.SimpleNamespace(bits=bits, sym=symmetric, mse=0.0, group_size=group))
    quantizer.configure(perchannel=True)
    parts, scales, zeros = [], [], []
    for begin in range(0, COLUMNS, group):
        part = w[:, begin : begin + group]
        quantizer.find_params(part, weight=True)
        parts.append(quantizer.quantize(part))
        scales.append(quantizer.scale)
        zeros.append(quantizer.zero)
    linear = torch.nn.Linear(COLUMNS, ROWS, bias=False)
    linear.weight.data = torch.cat(parts, dim=1)
    module = TorchLinear(bits=bits, group_size=group, sym=symmetric, desc_act=False, in_features=COLUMNS,
                         out_features=ROWS, bias=False)
    g_idx = torch.arange(COLUMNS, dtype=torch.int32) // group
    module.pack_original(linear, torch.cat(scales, 1), torch.cat(zeros, 1), g_idx)
    module.eval()
    dequantized = module.dequantize_weight().T.to(torch.float32)
    tensors = {name: module.state_dict()[name].clone() for name in ("qweight", "qzeros", "scales", "g_idx")}
    convert_gptq_v2_to_v1_format_module(module, types.SimpleNamespace(bits=bits, pack_dtype=torch.int32))
    tensors["qzeros_v1"] = module.qzeros
    return {"tensors": tensors, "dequantized": dequantized}


def awq(w, block):
    group = GROUP if block.startswith("group") else COLUMNS
    quantized, scales, zeros = AwqQuantizer.pseudo_quantize_tensor(
        types.SimpleNamespace(group_size=group, zero_point=True, w_bit=4), w)
    linear = torch.nn.Linear(COLUMNS, ROWS, bias=False)
    linear.weight.data = quantized
    module = WQLinear_GEMM.from_linear(linear, 4, group, scales=scales.t().contiguous(), zeros=zeros.t().contiguous())
    dequantized = dequantize_gemm(module.qweight, module.qzeros, module.scales, 4, group).T.to(torch.float32)
    other = AwqTorchLinear(bits=4, group_size=group, sym=False, desc_act=False, in_features=COLUMNS,
                           out_features=ROWS, bias=False)
    other.pack(linear, scales.half(), zeros)
    assert torch.equal(other.qweight, module.qweight) and torch.equal(other.qzeros, module.qzeros)
    tensors = {name: module.state_dict()[name] for name in ("qweight", "qzeros", "scales")}
    return {"tensors": tensors, "dequantized": dequantized}


def described(case, made):
    tensors = {name: {"shape": list(tensor.shape), "data": text(tensor)} for name, tensor in made["tensors"].items()}
    dequantized = hashlib.sha256(made["dequantized"].contiguous().numpy().tobytes()).hexdigest()
    return {**case, "tensors": tensors, "dequantized": dequantized}


def main():
    w = weights()
    cases = []
    for bits in (4, 8):
        for symmetric in (True, False):
            for block in (f"group:{GROUP}", "channel"):
                for dtype in DTYPES:
                    case = {"codec": "compressed-tensors", "bits": bits, "symmetric": symmetric, "block": block,
                            "dtype": dtype}
                    cases.append(described(case, compressed_tensors(w, bits, symmetric, block, dtype)))
    for bits in (2, 3, 4, 8):
        for symmetric in (True, False):
            for block in (f"group:{GROUP}", "channel"):
                case = {"codec": "gptq", "bits": bits, "symmetric": symmetric, "block": block, "dtype": "F16"}
                cases.append(described(case, gptq(w, bits, symmetric, block)))
    for block in (f"group:{GROUP}", "channel"):
        case = {"codec": "awq", "bits": 4, "symmetric": False, "block": block, "dtype": "F16"}
        cases.append(described(case, awq(w, block)))
    versions = {name: importlib.metadata.version(name) for name in ("torch", "compressed-tensors", "gptqmodel", "autoawq")}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    golden = {"versions": versions, "rows": ROWS, "columns": COLUMNS,
              "weights": text(w), "cases": cases}
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


main()
