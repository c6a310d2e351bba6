"""Which type llama.cpp's mixes give each tensor -> test/golden/gguf/mixes.json.

usage: python scripts/golden/gguf_mixes.py FOLDER

FOLDER holds llama.cpp's shared libraries, for example bins/linux-x64 of the npm package @node-llama-cpp/linux-x64. Models are
made up: right names, settings and row lengths, and two rows a matrix, which is all that llama_model_quantize looks at.
"""

import json
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "peers" / "gguf"))
import llama as peer  # noqa: E402

TARGET = ROOT / "test" / "golden" / "gguf" / "mixes.json"
MIXES = ["Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M"]
APART = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
EXPERTS = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"]
FUSED = ["attn_qkv", "attn_output", "ffn_up", "ffn_down"]
MODELS = {
    "llama32": {"arch": "llama", "layers": 32, "heads": 8, "kv": 8, "width": 256, "ffn": 512, "tied": False, "parts": APART},
    "tied30": {"arch": "llama", "layers": 30, "heads": 9, "kv": 3, "width": 576, "ffn": 1536, "tied": True, "parts": APART},
    "llama80": {"arch": "llama", "layers": 80, "heads": 8, "kv": 1, "width": 256, "ffn": 256, "tied": False, "parts": APART},
    "odd17": {"arch": "llama", "layers": 17, "heads": 4, "kv": 2, "width": 96, "ffn": 80, "tied": False, "parts": APART},
    "phi3": {"arch": "phi3", "layers": 20, "heads": 8, "kv": 8, "width": 256, "ffn": 256, "tied": False, "parts": FUSED},
    "falcon": {"arch": "falcon", "layers": 35, "heads": 8, "kv": 8, "width": 256, "ffn": 256, "tied": False, "parts": FUSED},
    "mixtral": {"arch": "llama", "layers": 16, "heads": 8, "kv": 2, "width": 256, "ffn": 256, "tied": False, "parts": EXPERTS},
}  # fmt: skip


def columns(model: dict, part: str) -> int:
    return model["ffn"] if part.startswith("ffn_down") else model["width"]


def write(path: str, model: dict) -> None:
    arch = model["arch"]
    writer = gguf.GGUFWriter(path, arch)
    writer.add_block_count(model["layers"])
    writer.add_context_length(128)
    writer.add_embedding_length(model["width"])
    writer.add_feed_forward_length(model["ffn"])
    writer.add_head_count(model["heads"])
    writer.add_head_count_kv(model["kv"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_layer_norm_eps(1e-5)
    if model["parts"] is EXPERTS:
        writer.add_expert_count(8)
        writer.add_expert_used_count(2)
    writer.add_rope_dimension_count(model["width"] // model["heads"])
    writer.add_vocab_size(2)
    writer.add_tokenizer_model("none")
    rng = np.random.default_rng(1)
    matrix = lambda width: rng.normal(0, 0.02, (2, width)).astype(np.float16)  # noqa: E731
    writer.add_tensor("token_embd.weight", matrix(model["width"]))
    if not model["tied"]:
        writer.add_tensor("output.weight", matrix(model["width"]))
    for layer in range(model["layers"]):
        for part in model["parts"]:
            one = matrix(columns(model, part))
            writer.add_tensor(f"blk.{layer}.{part}.weight", np.stack([one] * 8) if part.endswith("_exps") else one)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    llama = peer.load(sys.argv[1])
    models = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in MODELS.items():
            source = f"{folder}/{name}.gguf"
            write(source, model)
            types = {}
            for mix in MIXES:
                made = f"{folder}/{name}-{mix}.gguf"
                peer.quantize(llama, {"input": source, "output": made, "type": mix, "pure": False})
                found = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(made).tensors}
                outer = {k: found[k] for k in ("token_embd.weight", "output.weight") if k in found}
                inner = {
                    part: " ".join(found[f"blk.{layer}.{part}.weight"] for layer in range(model["layers"]))
                    for part in model["parts"]
                }  # fmt: skip
                types[mix] = {**outer, **inner}
            models[name] = {**model, "types": types}
    TARGET.write_text(json.dumps(models, indent=0) + "\n")


if __name__ == "__main__":
    main()
