"""Random configs of every family, and the logits that Hugging Face transformers computes for them, in float32 on the CPU.

    python scripts/golden/families_random.py test/golden/familiesRandom.json

Needs torch, transformers, safetensors and numpy. A case is a config, the names and shapes of its tensors, a prompt, and the logits of its last token as
base64 of little-endian float32. Weights are not stored: both sides make them from a tensor's name (`weights` here, test/families/random.test.ts).
"""

import base64
import json
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

SEEDS = 3
FULL, SLIDING = "full_attention", "sliding_attention"


def fnv(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def uniform(seed, count):
    """mulberry32 from its `count` first states, 0 … 1."""
    state = (seed + 0x6D2B79F5 * np.arange(1, count + 1, dtype=np.uint64)) & 0xFFFFFFFF
    mixed = ((state ^ (state >> np.uint64(15))) * (state | np.uint64(1))) & 0xFFFFFFFF
    mixed = mixed ^ ((mixed + ((mixed ^ (mixed >> np.uint64(7))) * (mixed | np.uint64(61)) & 0xFFFFFFFF)) & 0xFFFFFFFF)
    return ((mixed ^ (mixed >> np.uint64(14))) & 0xFFFFFFFF).astype(np.float64) / 2**32


def weights(name, shape):
    """Vectors are 0.5 … 1.5 (a norm's gain, a bias), matrices −w … w with w = 2 / √columns."""
    values = uniform(fnv(name), int(np.prod(shape)))
    if len(shape) == 1:
        made = values + 0.5
    else:
        made = (values - 0.5) * 2 * (2 / np.sqrt(shape[-1]))
    return made.astype(np.float32).reshape(shape)


def sizes(r, least_head=4):
    heads = r.choice([2, 4])
    hidden = heads * r.choice([4, 8, 12])
    return {
        "hidden_size": hidden, "intermediate_size": r.choice([20, 36, 64]), "num_hidden_layers": r.choice([1, 2, 3, 5]),
        "num_attention_heads": heads, "vocab_size": r.randrange(40, 90), "max_position_embeddings": 64,
        "tie_word_embeddings": r.random() < 0.5, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
        "least_head": max(least_head, hidden // heads),
    }


def common(r, head=True):
    it = sizes(r)
    least = it.pop("least_head")
    it["num_key_value_heads"] = r.choice([n for n in (1, 2, 4) if it["num_attention_heads"] % n == 0])
    if head:
        it["head_dim"] = r.choice([least, 8, 16])
    it["rms_norm_eps"] = r.choice([1e-6, 1e-5, 1e-3])
    it["rope_theta"] = r.choice([100.0, 10000.0, 1000000.0])
    return it


def kinds(r, it):
    return [r.choice([FULL, SLIDING]) for _ in range(it["num_hidden_layers"])]


def llama(r):
    return {**common(r), "attention_bias": r.random() < 0.5, "mlp_bias": r.random() < 0.5, "hidden_act": r.choice(["silu", "gelu"])}


def mistral(r):
    return {**common(r), "sliding_window": r.choice([None, 3, 7])}


def windowed(r, **more):
    it = common(r, **more)
    it["use_sliding_window"] = r.random() < 0.7
    it["sliding_window"] = r.choice([3, 6])
    it["layer_types"] = kinds(r, it) if it["use_sliding_window"] else [FULL] * it["num_hidden_layers"]
    return it


def qwen2(r):
    return windowed(r, head=False)


def qwen3(r):
    return {**windowed(r), "attention_bias": r.random() < 0.5}


def phi3(r):
    it = common(r, head=False)
    return {**it, "sliding_window": r.choice([None, 4]), "hidden_act": r.choice(["silu", "gelu"])}


def olmo(r):
    it = common(r, head=False)
    it.pop("rms_norm_eps")
    return {**it, "clip_qkv": r.choice([None, 0.5, 2.0]), "attention_bias": r.random() < 0.5}


def olmo2(r):
    return {**common(r, head=False), "attention_bias": r.random() < 0.5}


def olmo3(r):
    it = common(r, head=False)
    # of a theta outside this, transformers 5.24 gives the layers with a window its default
    rope = {kind: {"rope_type": "default", "rope_theta": r.choice([100.0, it["rope_theta"]])} for kind in (FULL, SLIDING)}
    it.pop("rope_theta")
    return {**it, "rope_parameters": rope, "sliding_window": r.choice([3, 6]), "layer_types": kinds(r, it)}


def gemma(r):
    it = common(r)
    return {
        **it, "query_pre_attn_scalar": r.choice([4, 8, 24]), "sliding_window": r.choice([3, 6]), "layer_types": kinds(r, it),
        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True, "final_logit_softcapping": r.choice([None, 5.0]),
    }


def gemma2(r):
    return {**gemma(r), "attn_logit_softcapping": r.choice([2.0, 50.0])}


def gemma3_text(r):
    it = gemma(r)
    return {**it, "rope_local_base_freq": r.choice([50.0, 10000.0])}


def smollm3(r):
    it = common(r, head=False)
    turns = [r.choice([0, 1]) for _ in range(it["num_hidden_layers"])]
    return {**it, "no_rope_layers": turns, "layer_types": [FULL] * len(turns), "attention_bias": r.random() < 0.5, "mlp_bias": r.random() < 0.5}


def granite(r):
    return {
        **common(r, head=False), "embedding_multiplier": r.uniform(0.5, 4), "residual_multiplier": r.uniform(0.2, 1),
        "attention_multiplier": r.uniform(0.05, 0.5), "logits_scaling": r.uniform(0.5, 4),
    }


def glm4(r):
    it = common(r)
    return {**it, "partial_rotary_factor": r.choice([0.5, 1.0]), "attention_bias": r.random() < 0.5}


def ministral3(r):
    it = common(r)
    theta = it.pop("rope_theta")
    rope = {
        "rope_type": "yarn", "rope_theta": theta, "factor": r.choice([2.0, 8.0]), "original_max_position_embeddings": 8,
        "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": r.choice([0.1, 0.4]),
    }
    return {**it, "rope_parameters": rope, "sliding_window": None}


def gpt2(r):
    heads = r.choice([2, 4])
    return {
        "n_embd": heads * r.choice([4, 8]), "n_layer": r.choice([1, 2, 3]), "n_head": heads, "n_positions": 32,
        "n_inner": r.choice([None, 28]), "vocab_size": r.randrange(40, 90), "bos_token_id": 0, "eos_token_id": 0,
        "scale_attn_weights": r.random() < 0.7, "activation_function": r.choice(["gelu_new", "relu"]),
    }


def gpt_neox(r):
    it = sizes(r)
    it.pop("least_head")
    return {
        **it, "rotary_pct": r.choice([0.5, 1.0]), "rope_theta": 10000.0, "hidden_act": r.choice(["gelu", "gelu_new"]),
        "use_parallel_residual": r.random() < 0.5, "tie_word_embeddings": False,
    }


def falcon(r):
    heads = r.choice([2, 4])
    new = r.random() < 0.5
    return {
        "hidden_size": heads * r.choice([4, 8]), "num_hidden_layers": r.choice([1, 2, 3]), "num_attention_heads": heads,
        "vocab_size": r.randrange(40, 90), "multi_query": r.random() < 0.5, "parallel_attn": new or r.random() < 0.5,
        "bias": r.random() < 0.5, "alibi": False, "new_decoder_architecture": new, "num_kv_heads": r.choice([1, heads // 2, heads]),
        "bos_token_id": 0, "eos_token_id": 0,
    }


def opt(r):
    heads = r.choice([2, 4])
    hidden = heads * r.choice([4, 8])
    return {
        "hidden_size": hidden, "word_embed_proj_dim": hidden, "ffn_dim": r.choice([20, 36]), "num_hidden_layers": r.choice([1, 2, 3]),
        "num_attention_heads": heads, "vocab_size": r.randrange(40, 90), "max_position_embeddings": 32, "do_layer_norm_before": True,
        "activation_function": r.choice(["relu", "gelu"]), "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2,
    }


def experts(r, name="num_local_experts"):
    count = r.choice([2, 3, 5])
    return {name: count, "num_experts_per_tok": r.randrange(1, count + 1)}


def mixtral(r):
    return {**common(r), **experts(r), "sliding_window": r.choice([None, 4])}


def qwen3_moe(r):
    return {
        **common(r), **experts(r, "num_experts"), "moe_intermediate_size": r.choice([12, 20]), "norm_topk_prob": r.random() < 0.5,
        "decoder_sparse_step": r.choice([1, 2]), "mlp_only_layers": r.choice([[], [0]]), "attention_bias": r.random() < 0.5,
    }


def gpt_oss(r):
    it = common(r)
    rope = {
        "rope_type": "yarn", "rope_theta": it.pop("rope_theta"), "factor": r.choice([2.0, 8.0]), "original_max_position_embeddings": 8,
        "beta_fast": 32.0, "beta_slow": 1.0, "truncate": r.random() < 0.5,
    }
    return {
        **it, **experts(r), "rope_parameters": rope, "sliding_window": r.choice([3, 6]), "layer_types": kinds(r, it),
        "attention_bias": r.random() < 0.5, "swiglu_limit": r.choice([0.5, 7.0]),
    }


FAMILIES = [
    llama, mistral, qwen2, qwen3, phi3, olmo, olmo2, olmo3, gemma2, gemma3_text, smollm3, granite, glm4, ministral3, gpt2, gpt_neox, falcon, opt,
    mixtral, qwen3_moe, gpt_oss,
]


def case(family, seed):
    r = random.Random(f"{family.__name__} {seed}")
    config = family(r)
    with tempfile.TemporaryDirectory() as folder:
        made = AutoModelForCausalLM.from_config(AutoConfig.for_model(family.__name__, **config), dtype=torch.float32)
        made.save_pretrained(folder)
        file = Path(folder) / "model.safetensors"
        named = load_file(file)
        save_file({name: torch.from_numpy(weights(name, tuple(it.shape))) for name, it in named.items()}, file, {"format": "pt"})
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    vocabulary = config["vocab_size"]
    tokens = [r.randrange(3, vocabulary) for _ in range(r.choice([1, 5, 12, 20]))]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1]
    return {
        "config": {"model_type": family.__name__, "architectures": [type(model).__name__], **config},
        "tensors": {name: list(parameter.shape) for name, parameter in named.items()},
        "tokens": tokens,
        "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode(),
    }


def main():
    cases = [case(family, seed) for family in FAMILIES for seed in range(SEEDS)]
    lines = ",\n".join(json.dumps(it, separators=(",", ":")) for it in cases)
    versions = json.dumps({"transformers": transformers.__version__, "torch": torch.__version__})
    Path(sys.argv[1]).write_text(f'{{"versions":{versions},"cases":[\n{lines}\n]}}\n')


main()
