"""Tiny random checkpoints and what Hugging Face transformers computes with them, in float32 on the CPU.

    python scripts/golden/transformers_forward.py test/golden/transformers

Needs torch, transformers and safetensors. Each case becomes a folder: config.json (written by hand here, so that old and
new spellings are both covered, and read by transformers), model.safetensors, and golden.json with the tokens and, as
base64 of little-endian float32: logits, and per layer the down_proj input and output and the residual stream.
"""

import base64
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

TOKENS = 24
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 64,
    "max_position_embeddings": 32,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
}
MISTRAL = {**LLAMA, "architectures": ["MistralForCausalLM"], "model_type": "mistral"}
QWEN2 = {**LLAMA, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
PHI3 = {**LLAMA, "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "pad_token_id": 0, "eos_token_id": 2}
LONGROPE = {"type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.5], "long_factor": [1.2, 1.9, 2.6, 4.0]}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}

# name: (base config, fields that differ, storage)
CASES = {
    "llama-f32": (LLAMA, {"num_hidden_layers": 1, "num_key_value_heads": 4, "rope_theta": 10000.0}, "F32"),
    "llama-grouped-f16": (LLAMA, {"rope_theta": 500000.0}, "F16"),
    "llama-one-key-head-bf16": (LLAMA, {"num_key_value_heads": 1}, "BF16"),
    "llama-biases": (LLAMA, {"attention_bias": True, "mlp_bias": True}, "F16"),
    "llama-tied": (LLAMA, {"tie_word_embeddings": True, "num_hidden_layers": 3}, "F16"),
    "llama-wide-heads": (LLAMA, {"head_dim": 12}, "F16"),
    "llama-linear-old-spelling": (LLAMA, {"rope_scaling": {"type": "linear", "factor": 2.5}, "rope_theta": 1000.0}, "F16"),
    "llama-dynamic-beyond": (
        LLAMA,
        {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}, "max_position_embeddings": 16},
        "F16",
    ),
    "llama-dynamic-within": (LLAMA, {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "F16"),
    "llama-llama3": (
        LLAMA,
        {
            "rope_theta": 500.0,
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 16,
            },
        },
        "F16",
    ),
    "llama-yarn": (LLAMA, {"rope_parameters": {**YARN, "rope_theta": 100.0}}, "F16"),
    "llama-yarn-mscale": (
        LLAMA,
        {"rope_parameters": {**YARN, "rope_theta": 100.0, "mscale": 1.4, "mscale_all_dim": 0.7, "beta_fast": 4.0, "beta_slow": 0.5}},
        "F16",
    ),
    "llama-yarn-untruncated": (
        LLAMA,
        {"rope_parameters": {**YARN, "rope_theta": 100.0, "attention_factor": 1.3, "truncate": False, "beta_fast": 3.0}},
        "F16",
    ),
    "llama-gelu": (LLAMA, {"hidden_act": "gelu"}, "F16"),
    "llama-gelu-tanh": (LLAMA, {"hidden_act": "gelu_pytorch_tanh"}, "F16"),
    "llama-defaults": (
        {
            key: LLAMA[key]
            for key in ("model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
        },
        {},
        "F16",
    ),
    "mistral-window": (MISTRAL, {"sliding_window": 7}, "F16"),
    "mistral-no-window": (MISTRAL, {"sliding_window": None, "rope_theta": 1000000.0, "head_dim": 10}, "BF16"),
    "mistral-default-window": (MISTRAL, {}, "F16"),
    "qwen2": (QWEN2, {"rope_theta": 1000000.0, "max_position_embeddings": 64}, "BF16"),
    "qwen2-tied": (QWEN2, {"tie_word_embeddings": True, "num_key_value_heads": 1, "sliding_window": 7}, "F16"),
    "qwen2-window-layers": (
        QWEN2,
        {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 1, "num_hidden_layers": 3},
        "F16",
    ),
    "qwen2-layer-types": (
        QWEN2,
        {"use_sliding_window": True, "sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"]},
        "F16",
    ),
    "phi3": (PHI3, {"num_key_value_heads": 4}, "BF16"),
    "phi3-window": (PHI3, {"sliding_window": 7}, "F16"),
    "phi3-partial": (PHI3, {"partial_rotary_factor": 0.5, "head_dim": 8}, "F16"),
    "phi3-longrope-short": (
        PHI3,
        {"rope_scaling": LONGROPE, "max_position_embeddings": 64, "original_max_position_embeddings": 32},
        "F16",
    ),
    "phi3-longrope-long": (
        PHI3,
        {"rope_scaling": LONGROPE, "max_position_embeddings": 64, "original_max_position_embeddings": 16},
        "F16",
    ),
}
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def randomize(model, generator):
    """Weights large enough that attention attends and channels differ; norms and biases away from their neutral values."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name:
            value = 1 + 0.2 * noise
        elif parameter.ndim == 1:
            value = 0.3 * noise
        elif "embed_tokens" in name:
            value = noise
        else:
            value = 1.5 * noise / parameter.shape[1] ** 0.5
        parameter.data.copy_(value)


def encode(tensor):
    values = tensor.detach().to(torch.float32).contiguous()
    return {"shape": list(values.shape), "f32": base64.b64encode(values.numpy().astype("<f4").tobytes()).decode()}


def record(model, tokens):
    layers = [{} for _ in model.model.layers]
    for record_, layer in zip(layers, model.model.layers):
        def on_down(_module, args, output, record_=record_):
            record_["downInput"], record_["downOutput"] = encode(args[0][0]), encode(output[0])

        def on_layer(_module, _args, output, record_=record_):
            record_["residual"] = encode((output[0] if isinstance(output, tuple) else output)[0])

        layer.mlp.down_proj.register_forward_hook(on_down)
        layer.register_forward_hook(on_layer)
    with torch.no_grad():
        logits = model(torch.tensor([tokens]), use_cache=False).logits[0]
    return {"tokens": tokens, "logits": encode(logits), "layers": layers}


def make(folder, base, changes, storage, seed):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**base, **changes}, indent=2) + "\n")
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    randomize(model, generator)
    tied = model.config.tie_word_embeddings
    state = {
        name: tensor.to(DTYPES[storage]).contiguous()
        for name, tensor in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokens = torch.randint(0, loaded.config.vocab_size, (TOKENS,), generator=generator).tolist()
    golden = {"transformers": transformers.__version__, "torch": torch.__version__, **record(loaded, tokens)}
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


def main():
    root = Path(sys.argv[1])
    torch.manual_seed(0)
    for seed, (name, (base, changes, storage)) in enumerate(CASES.items()):
        shutil.rmtree(root / name, ignore_errors=True)
        make(root / name, base, changes, storage, seed)
        print(name)


main()
