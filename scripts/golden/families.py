"""Tiny random checkpoints of every family and what Hugging Face transformers computes with them, in float32 on the CPU.

    python scripts/golden/families.py test/golden/families [NAME ...]

Needs torch, transformers and safetensors. Each case becomes a folder: config.json, model.safetensors (F16) and golden.json: three
prompts (one of them longer than the window), and of each a sample of values, as base64 of little-endian float32: every logit of the last
token, and of each layer the MLP's last matrix: what goes in and comes out (of experts only what they add together), and the residual stream, all of the last token.
"""

import base64
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 64,
    "max_position_embeddings": 64,
}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": 64}
MHA = {key: value for key, value in SIZES.items() if key not in ("num_key_value_heads", "head_dim")}
YARN = {
    "rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16,
    "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1,
}
GEMMA3 = {
    **SIZES, "num_hidden_layers": 6, "query_pre_attn_scalar": 8, "sliding_window": 6,
    "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "hidden_activation": "gelu_pytorch_tanh",
    "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
}
VISION = {
    "model_type": "siglip_vision_model", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "image_size": 28, "patch_size": 14,
}
PIXTRAL = {
    "model_type": "pixtral", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "image_size": 28, "patch_size": 14, "head_dim": 8,
}
GPT_OSS = {
    **SIZES, "intermediate_size": 32, "num_local_experts": 5, "num_experts_per_tok": 2, "sliding_window": 6,
    "swiglu_limit": 1.5, "rope_theta": 150000.0, "rope_scaling": {
        "rope_type": "yarn", "factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
        "original_max_position_embeddings": 16,
    },
}
GEMMA4 = {
    **SIZES, "num_hidden_layers": 6, "sliding_window": 6, "global_head_dim": 16, "hidden_size_per_layer_input": 0,
    "final_logit_softcapping": 3.0, "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1000000.0},
    },
}

# name: config.json
CASES = {
    "olmo": {"model_type": "olmo", **SIZES, "clip_qkv": 1.0, "tie_word_embeddings": True},
    "qwen3": {"model_type": "qwen3", **SIZES, "head_dim": 16, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0},
    "gemma2": {
        "model_type": "gemma2", **SIZES, "query_pre_attn_scalar": 8, "sliding_window": 6,
        "attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0, "tie_word_embeddings": True,
    },
    "gemma3_text": {"model_type": "gemma3_text", **GEMMA3},
    "gemma3": {
        "model_type": "gemma3", "text_config": {"model_type": "gemma3_text", **GEMMA3}, "vision_config": VISION,
        "mm_tokens_per_image": 4, "image_token_index": 63, "boi_token_index": 61, "eoi_token_index": 62,
    },
    "olmo2": {"model_type": "olmo2", **SIZES, "rms_norm_eps": 1e-6},
    "olmo3": {
        "model_type": "olmo3", **SIZES, "num_hidden_layers": 4, "sliding_window": 6, "rope_theta": 500000.0,
        "rope_scaling": {
            "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16,
            "attention_factor": 1.2079441541679836, "beta_fast": 32.0, "beta_slow": 1.0,
        },
    },
    "ministral3": {"model_type": "ministral3", **SIZES, "rope_parameters": YARN, "sliding_window": None},
    "mistral3": {
        "model_type": "mistral3", "vision_config": PIXTRAL, "image_token_index": 10, "spatial_merge_size": 1,
        "text_config": {"model_type": "mistral", **SIZES, "head_dim": 16, "rope_theta": 10000.0, "sliding_window": None},
    },
    "smollm3": {"model_type": "smollm3", **SIZES, "num_hidden_layers": 4, "pad_token_id": 0, "rope_theta": 5000.0},
    "granite": {
        "model_type": "granite", **SIZES, "embedding_multiplier": 3.0, "residual_multiplier": 0.4,
        "attention_multiplier": 0.2, "logits_scaling": 2.0, "rope_theta": 10000.0,
    },
    "glm4": {
        "model_type": "glm4", **SIZES, "attention_bias": True, "partial_rotary_factor": 0.5, "rms_norm_eps": 1e-5,
        "pad_token_id": 0, "eos_token_id": 1, "rope_theta": 10000.0,
    },
    "gpt2": {"model_type": "gpt2", **GPT2, "bos_token_id": 0, "eos_token_id": 0},
    "gpt_neox": {
        "model_type": "gpt_neox", **MHA, "rotary_pct": 0.5, "rope_theta": 10000.0, "hidden_act": "gelu",
        "bos_token_id": 0, "eos_token_id": 0,
    },
    "gpt_neox-serial": {
        "model_type": "gpt_neox", **MHA, "rotary_pct": 1.0, "rope_theta": 10000.0, "use_parallel_residual": False,
        "bos_token_id": 0, "eos_token_id": 0,
    },
    "falcon": {
        "model_type": "falcon", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 64,
        "multi_query": True, "parallel_attn": True, "bias": False, "alibi": False, "new_decoder_architecture": False,
        "bos_token_id": 0, "eos_token_id": 0,
    },
    "falcon-new": {
        "model_type": "falcon", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 64,
        "num_kv_heads": 2, "parallel_attn": True, "bias": False, "alibi": False, "new_decoder_architecture": True,
        "bos_token_id": 0, "eos_token_id": 0,
    },
    "opt": {
        "model_type": "opt", "hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "vocab_size": 64, "max_position_embeddings": 64, "word_embed_proj_dim": 32, "do_layer_norm_before": True,
        "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2,
    },
    "qwen3_moe": {
        "model_type": "qwen3_moe", **SIZES, "num_hidden_layers": 4, "head_dim": 16, "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
        "norm_topk_prob": True, "mlp_only_layers": [1],
    },
    "qwen3_moe-fused": {
        "model_type": "qwen3_moe", **SIZES, "num_hidden_layers": 3, "head_dim": 16, "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "num_experts": 5, "num_experts_per_tok": 3, "moe_intermediate_size": 32,
        "norm_topk_prob": False, "decoder_sparse_step": 2,
    },
    "mixtral": {
        "model_type": "mixtral", **SIZES, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 6,
        "rope_theta": 10000.0,
    },
    "mixtral-fused": {
        "model_type": "mixtral", **SIZES, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None,
        "rope_theta": 10000.0,
    },
    "gpt_oss": {"model_type": "gpt_oss", **GPT_OSS},
    "gpt_oss-mxfp4": {
        "model_type": "gpt_oss", **GPT_OSS, "num_local_experts": 3,
        "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]},
    },
    "gemma4_text": {"model_type": "gemma4_text", **GEMMA4},
    "gemma4_text-shared": {
        "model_type": "gemma4_text", **GEMMA4, "num_hidden_layers": 2, "attention_k_eq_v": True, "num_global_key_value_heads": 1,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "gemma": {"model_type": "gemma", **SIZES, "head_dim": 16, "rms_norm_eps": 1e-6, "tie_word_embeddings": True},
}
PROMPTS = (3, 8, 20)
# cases whose file has the experts of a layer in one tensor, as transformers has them in memory
FUSED = ("qwen3_moe-fused", "mixtral-fused")
# where a class keeps the decoder, and the MLP's last matrix
DOWN = ("mlp.down_proj", "mlp.c_proj", "mlp.dense_4h_to_h", "fc2")


def randomize(model, generator):
    """Weights large enough that attention attends and channels differ; norms and biases away from their neutral values."""
    ones = {f"{name}.weight" for name, module in model.named_modules() if "Norm" in type(module).__name__}
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1 and name in ones:
            neutral = 0.0 if type(model).__name__.startswith(("GemmaFor", "Gemma2", "Gemma3")) else 1.0
            value = neutral + 0.2 * noise
        elif parameter.ndim == 1:
            value = 0.3 * noise
        elif "embed" in name or "wte" in name or "wpe" in name:
            value = noise
        else:
            value = 1.5 * noise / parameter.shape[-1] ** 0.5
        parameter.data.copy_(value)
    for name, buffer in model.named_buffers():
        if name.endswith("layer_scalar"):
            buffer.fill_(0.8)


def encode(tensor):
    values = tensor.detach().to(torch.float32).contiguous()
    return base64.b64encode(values.numpy().astype("<f4").tobytes()).decode()


def layers_of(model):
    lists = [
        module for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and name.rsplit(".", 1)[-1] in ("layers", "h") and "vision" not in name
    ]
    return lists[0]


def record(model, tokens):
    recorded = [{} for _ in layers_of(model)]
    handles = []
    for into, layer in zip(recorded, layers_of(model)):
        down = next((layer.get_submodule(path) for path in DOWN if path in dict(layer.named_modules())), None)

        def on_experts(_module, _args, output, into=into):
            into["downOutput"] = encode((output[0] if isinstance(output, tuple) else output).reshape(len(tokens), -1)[-1])

        def on_down(_module, args, output, into=into):
            into["downInput"], into["downOutput"] = (encode(it.reshape(len(tokens), -1)[-1]) for it in (args[0], output))

        def on_layer(_module, _args, output, into=into):
            into["residual"] = encode((output[0] if isinstance(output, tuple) else output).reshape(len(tokens), -1)[-1])

        # experts share one module, and add up behind it
        into_mlp = down.register_forward_hook(on_down) if down else layer.mlp.register_forward_hook(on_experts)
        handles += [into_mlp, layer.register_forward_hook(on_layer)]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1]
    for handle in handles:
        handle.remove()
    return {"tokens": tokens, "logits": encode(logits), "layers": recorded}


def pack_experts(folder, generator):
    """Random MXFP4 in place of the experts' matrices: groups of 32 along each matrix's inputs, which transformers has as rows."""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    for name in [name for name in tensors if name.endswith(("experts.gate_up_proj", "experts.down_proj"))]:
        experts, inputs, outputs = tensors.pop(name).shape
        groups = (experts, outputs, inputs // 32)
        tensors[f"{name}_blocks"] = torch.randint(256, (*groups, 16), generator=generator, dtype=torch.uint8)
        tensors[f"{name}_scales"] = torch.randint(122, 127, groups, generator=generator, dtype=torch.uint8)
    save_file(tensors, file, {"format": "pt"})


def make(folder, config, seed):
    folder.mkdir(parents=True)
    own = {key: value for key, value in config.items() if key not in ("model_type", "quantization_config")}
    loaded_config = AutoConfig.for_model(config["model_type"], **own)
    auto = AutoModelForCausalLM if "text_config" not in config else transformers.AutoModelForImageTextToText
    generator = torch.Generator().manual_seed(seed)
    model = auto.from_config(loaded_config, attn_implementation="eager")
    randomize(model, generator)
    model.to(torch.float16).save_pretrained(folder, save_original_format=folder.name not in FUSED)
    if "quantization_config" in config:
        pack_experts(folder, generator)
    written = {"architectures": [type(model).__name__], **config}
    (folder / "config.json").write_text(json.dumps(written, indent=2) + "\n")
    (folder / "generation_config.json").unlink(missing_ok=True)
    loaded = auto.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    text = getattr(loaded.config, "text_config", loaded.config)
    prompts = [torch.randint(3, text.vocab_size - 4, (count,), generator=generator).tolist() for count in PROMPTS]
    golden = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "prompts": [record(loaded, tokens) for tokens in prompts],
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


def main():
    root, wanted = Path(sys.argv[1]), sys.argv[2:]
    for seed, (name, config) in enumerate(CASES.items()):
        if wanted and name not in wanted:
            continue
        shutil.rmtree(root / name, ignore_errors=True)
        make(root / name, config, seed)
        print(name, flush=True)


main()
