"""Tiny packed checkpoints as other tools write them, with the logits that they give.

usage: python scripts/golden/packed_folders.py        writes test/golden/packed/folders/

Needs what packed.py needs. Each folder: config.json, model.safetensors and golden.json (tokens, and logits in f32 of the weights that
the tool's own unpacking gives). A Llama of one layer with random F16 weights.
  compressed-tensors       saved by compressed-tensors' ModelCompressor and transformers: 4-bit groups, down_proj 8 bits a row
  compressed-tensors-zero  the same with zero points
  gptq-act-order           packed by GPT-QModel: version 1, columns in another order than their groups (desc_act)
  awq                      packed by AutoAWQ's WQLinear_GEMM, config.json as AutoAWQ writes it
"""

import copy
import json
import pathlib
import shutil
import types

import torch
from awq.modules.linear.gemm import WQLinear_GEMM
from awq.quantize.quantizer import AwqQuantizer
from awq.utils.packing_utils import dequantize_gemm
from compressed_tensors.compressors import ModelCompressor
from compressed_tensors.quantization import QuantizationConfig, apply_quantization_config
from compressed_tensors.quantization.utils import calculate_qparams
from gptqmodel.nn_modules.qlinear.torch import TorchLinear
from gptqmodel.quantization.quantizer import Quantizer
from gptqmodel.utils.model import convert_gptq_v2_to_v1_format_module
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, CompressedTensorsConfig, LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "packed" / "folders"
GROUP = 32
TOKENS = [1, 5, 9, 33, 2, 60, 41, 17, 8, 3]


def model():
    torch.manual_seed(2411)
    config = LlamaConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4,
                         num_key_value_heads=2, vocab_size=64, max_position_embeddings=64, initializer_range=0.2,
                         tie_word_embeddings=False, dtype="float16")
    return LlamaForCausalLM(config).half().eval()


@torch.no_grad()
def write_golden(folder, plain):
    # a model of its own in f32: half() rounds the rotary frequencies too
    exact = LlamaForCausalLM(plain.config).float().eval()
    exact.load_state_dict({name: tensor.float() for name, tensor in plain.state_dict().items()})
    logits = exact(torch.tensor([TOKENS])).logits[0]
    (folder / "golden.json").write_text(json.dumps({"tokens": TOKENS, "logits": logits.flatten().tolist()}) + "\n")
    (folder / "generation_config.json").unlink(missing_ok=True)


def compressed_tensors(folder, symmetric):
    made = model()
    group = {"num_bits": 4, "symmetric": symmetric, "strategy": "group", "group_size": GROUP}
    groups = {"group_0": {"targets": ["Linear"], "weights": group}}
    if symmetric:
        channel = {"num_bits": 8, "symmetric": True, "strategy": "channel"}
        groups["group_1"] = {"targets": ["re:.*down_proj$"], "weights": channel}
    apply_quantization_config(made, QuantizationConfig(config_groups=groups, ignore=["lm_head"], format="pack-quantized",
                                                       quantization_status="frozen"))
    for module in made.modules():
        scheme = getattr(module, "quantization_scheme", None)
        if scheme is None:
            continue
        width = scheme.weights.group_size or module.weight.shape[1]
        parts = module.weight.data.reshape(module.weight.shape[0], -1, width)
        scale, zero = calculate_qparams(parts.amin(-1), parts.amax(-1), scheme.weights)
        module.weight_scale.data = scale.to(module.weight_scale.dtype)
        if hasattr(module, "weight_zero_point"):
            module.weight_zero_point.data = zero
    compressor = ModelCompressor.from_pretrained_model(made, quantization_format="pack-quantized")
    compressor.compress_model(made)
    made.save_pretrained(folder)
    compressor.update_config(str(folder))
    options = {} if symmetric else {"quantization_config": CompressedTensorsConfig(dequantize=True)}
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", **options).eval()
    with torch.no_grad():
        loaded(torch.tensor([TOKENS]))  # unpacks
    plain = model()
    for name, module in plain.named_modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data = loaded.get_submodule(name).weight.data
    write_golden(folder, plain)


def gptq_module(name, linear):
    rows, columns = linear.weight.shape
    order = torch.randperm(columns, generator=torch.Generator().manual_seed(len(name)))
    g_idx = torch.empty(columns, dtype=torch.int32)
    g_idx[order] = torch.arange(columns, dtype=torch.int32) // GROUP
    quantizer = Quantizer(types.SimpleNamespace(bits=4, sym=True, mse=0.0, group_size=GROUP))
    quantizer.configure(perchannel=True)
    weight, scales, zeros = linear.weight.data.float().clone(), [], []
    for group in range(columns // GROUP):
        own = g_idx == group
        quantizer.find_params(weight[:, own], weight=True)
        weight[:, own] = quantizer.quantize(weight[:, own])
        scales.append(quantizer.scale)
        zeros.append(quantizer.zero)
    source = torch.nn.Linear(columns, rows, bias=False)
    source.weight.data = weight
    packed = TorchLinear(bits=4, group_size=GROUP, sym=True, desc_act=True, in_features=columns, out_features=rows, bias=False)
    packed.pack_original(source, torch.cat(scales, 1), torch.cat(zeros, 1), g_idx)
    unpacked = packed.eval().dequantize_weight().T.contiguous()
    convert_gptq_v2_to_v1_format_module(packed, types.SimpleNamespace(bits=4, pack_dtype=torch.int32))
    return {key: packed.state_dict()[key] for key in ("qweight", "qzeros", "scales", "g_idx")}, unpacked


def awq_module(_name, linear):
    rows, columns = linear.weight.shape
    settings = types.SimpleNamespace(group_size=GROUP, zero_point=True, w_bit=4)
    quantized, scales, zeros = AwqQuantizer.pseudo_quantize_tensor(settings, linear.weight.data.float())
    source = torch.nn.Linear(columns, rows, bias=False)
    source.weight.data = quantized
    packed = WQLinear_GEMM.from_linear(source, 4, GROUP, scales=scales.t().contiguous(), zeros=zeros.t().contiguous())
    unpacked = dequantize_gemm(packed.qweight, packed.qzeros, packed.scales, 4, GROUP).T.contiguous()
    return {key: packed.state_dict()[key] for key in ("qweight", "qzeros", "scales")}, unpacked


def by_module(folder, pack, settings):
    made = model()
    tensors = {name: tensor.contiguous() for name, tensor in made.state_dict().items()}
    plain = copy.deepcopy(made)
    for name, module in made.named_modules():
        if not isinstance(module, torch.nn.Linear) or name == "lm_head":
            continue
        parts, unpacked = pack(name, module)
        del tensors[f"{name}.weight"]
        tensors.update({f"{name}.{key}": part.contiguous() for key, part in parts.items()})
        plain.get_submodule(name).weight.data = unpacked
    folder.mkdir(parents=True)
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config = made.config.to_dict() | {"architectures": ["LlamaForCausalLM"], "quantization_config": settings}
    config["dtype"] = "float16"
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_golden(folder, plain)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    compressed_tensors(OUT / "compressed-tensors", True)
    compressed_tensors(OUT / "compressed-tensors-zero", False)
    by_module(OUT / "gptq-act-order", gptq_module,
              {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "desc_act": True, "sym": True, "damp_percent": 0.1,
               "true_sequential": True, "lm_head": False, "checkpoint_format": "gptq", "pack_dtype": "int32"})
    by_module(OUT / "awq", awq_module,
              {"bits": 4, "group_size": GROUP, "modules_to_not_convert": None, "quant_method": "awq", "version": "gemm",
               "zero_point": True})


main()
