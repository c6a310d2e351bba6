"""What transformers, compressed-tensors and GPT-QModel make of exported checkpoints; called by index.ts.

usage: python scripts/peers/packed/packed_peer.py < jobs.json

A job: folder (the export), plain (the same weights as Keystone reads them, unpacked), format, loader (transformers or
gptqmodel), windows (token ids), logits (files to write, little-endian f32, window after window: `runtime` as the library runs
the folder, `unpacked` in f32: the loaded model with the weights that the library's own unpacking gives in place of its packed
modules). The answer on stdout: versions, and for each job how many modules' unpacked weights are Keystone's, bit for bit.
"""

import importlib.metadata
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
PACKAGES = ("torch", "transformers", "compressed-tensors", "gptqmodel", "optimum")


def tensors_of(folder):
    found = {}
    for file in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            found.update({name: opened.get_tensor(name) for name in opened.keys()})
    return found


def compressed_tensors(tensors, config, _dtype):
    from compressed_tensors.compressors.pack_quantized import PackedQuantizationCompressor
    from compressed_tensors.quantization import QuantizationConfig

    groups = QuantizationConfig.model_validate(config).config_groups.values()
    for name in [name for name in tensors if name.endswith(".weight_packed")]:
        module = name.removesuffix(".weight_packed")
        own = [group for group in groups if module in group.targets]
        scheme = own[0] if own else next(group for group in groups if group.targets == ["Linear"])
        parts = {key: tensors[f"{module}.{key}"] for key in ("weight_packed", "weight_scale", "weight_shape")}
        if f"{module}.weight_zero_point" in tensors:
            parts["weight_zero_point"] = tensors[f"{module}.weight_zero_point"]
        yield module, PackedQuantizationCompressor.decompress(parts, scheme)["weight"]


def gptq(tensors, config, dtype):
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.utils.model import convert_gptq_v1_to_v2_format_module

    for name in [name for name in tensors if name.endswith(".qweight")]:
        module = name.removesuffix(".qweight")
        parts = {key: tensors[f"{module}.{key}"] for key in ("qweight", "qzeros", "scales", "g_idx")}
        columns, rows = parts["g_idx"].numel(), parts["scales"].shape[1]
        bits = parts["qweight"].shape[0] * 32 // columns
        linear = TorchLinear(bits=bits, group_size=columns // parts["scales"].shape[0], sym=config["sym"], desc_act=False,
                             in_features=columns, out_features=rows, bias=False)
        linear.load_state_dict(parts, strict=False)
        if config["checkpoint_format"] == "gptq":
            convert_gptq_v1_to_v2_format_module(linear, bits, torch.int32)
        # loaders of BF16 models compute with BF16 scales
        linear.scales = linear.scales.to(dtype)
        yield module, linear.eval().dequantize_weight().T.contiguous()


def awq(tensors, config, dtype):
    from gptqmodel.quantization.awq.utils.packing_utils import dequantize_gemm

    for name in [name for name in tensors if name.endswith(".qweight")]:
        module = name.removesuffix(".qweight")
        qweight, qzeros, scales = (tensors[f"{module}.{key}"] for key in ("qweight", "qzeros", "scales"))
        group = qweight.shape[0] // scales.shape[0]
        yield module, dequantize_gemm(qweight, qzeros, scales.to(dtype), config["bits"], group).T.contiguous()


UNPACK = {"compressed-tensors": compressed_tensors, "gptq": gptq, "awq": awq}


def load(job):
    if job["loader"] == "transformers":
        return AutoModelForCausalLM.from_pretrained(job["folder"], dtype="auto").eval()
    from gptqmodel import BACKEND, GPTQModel

    config = json.loads((pathlib.Path(job["folder"]) / "config.json").read_text())
    dtype = getattr(torch, config["torch_dtype"])
    return GPTQModel.load(job["folder"], device="cpu", backend=BACKEND.GPTQ_TORCH, dtype=dtype).model.eval()


def in_float32(model, weights, tensors):
    """What was loaded, with plain linear modules of these weights for the packed ones, and all else as the file holds it, in f32."""
    for name, weight in weights.items():
        packed = model.get_submodule(name)
        linear = torch.nn.Linear(*reversed(weight.shape), bias=packed.bias is not None)
        linear.weight = torch.nn.Parameter(weight, requires_grad=False)
        if packed.bias is not None:
            linear.bias = torch.nn.Parameter(packed.bias, requires_grad=False)
        model.set_submodule(name, linear)
    # past transformers' own `float`, which refuses models that were loaded quantized
    torch.nn.Module.float(model)
    # F32 checkpoints are loaded in the half type that their packed modules have
    model.load_state_dict({name: tensor for name, tensor in tensors.items() if name in model.state_dict()}, strict=False)
    return model.eval()


@torch.no_grad()
def write_logits(model, windows, path):
    with open(path, "wb") as out:
        for ids in windows:
            logits = model(torch.tensor([ids]), use_cache=False).logits[0].to(torch.float32)
            out.write(np.ascontiguousarray(logits.numpy(), dtype="<f4").tobytes())


def run(job):
    settings = json.loads((pathlib.Path(job["folder"]) / "config.json").read_text())["quantization_config"]
    model = load(job)
    write_logits(model, job["windows"], job["logits"]["runtime"])
    ours = tensors_of(job["plain"])
    tensors = tensors_of(job["folder"])
    unpacked = dict(UNPACK[job["format"]](tensors, settings, model.dtype))
    alike = sum(torch.equal(weight, ours[f"{module}.weight"]) for module, weight in unpacked.items())
    dtype = str(model.dtype).removeprefix("torch.")
    write_logits(in_float32(model, unpacked, tensors), job["windows"], job["logits"]["unpacked"])
    return {"modules": len(unpacked), "alike": alike, "dtype": dtype}


def main():
    jobs = json.load(sys.stdin)
    # the libraries' banners belong elsewhere than the answer
    answer, sys.stdout = sys.stdout, sys.stderr
    done = [run(job) for job in jobs]
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    json.dump({"versions": versions, "jobs": done}, answer)


if __name__ == "__main__":
    main()
