"""Tiny decoders as onnxruntime-genai's own builder quantizes them for MatMulNBits, and their logits in onnxruntime.

usage: python scripts/golden/genai_builder.py        writes test/golden/onnx/builder-*/

Needs torch, transformers, onnx_ir and onnxruntime-genai (pip install onnxruntime-genai onnx_ir). Each case becomes a folder with
the builder's model.onnx and model.onnx.data, the source's config.json (which the builder leaves out), and golden.json: tokens
and logits, base64 of little-endian float32, with accuracy level 1, at which onnxruntime multiplies in f32.
"""

import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
import onnxruntime_genai
import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "onnx"
TOKENS = 16
# The builder takes a linear with as many outputs as there are tokens for the head: no other size may equal vocab_size.
BASE = {
    "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 16, "vocab_size": 72, "max_position_embeddings": 32, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2,
}
CASES = {
    "builder-untied": ({"tie_word_embeddings": False}, []),
    "builder-asymmetric": ({"tie_word_embeddings": False}, ["is_symmetric=false", "block_size=16"]),
    "builder-tied": ({"tie_word_embeddings": True}, []),
}


def save_source(folder, fields):
    torch.manual_seed(2411_07191)
    model = LlamaForCausalLM(LlamaConfig(**{**BASE, **fields})).float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.randn_like(weight) * (0.3 if weight.ndim == 2 else 0.1) + ("norm" in name))
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(72)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="w2", bos_token="w1").save_pretrained(folder)


def build(source, target, options):
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", target, "-p", "int4"]
    options = ["accuracy_level=1", *options]
    subprocess.run([*command, "-e", "cpu", "-c", f"{target}-cache", "--extra_options", *options], check=True)


def logits(folder, ids):
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
    empty = np.zeros((1, BASE["num_key_value_heads"], 0, BASE["head_dim"]), np.float32)
    feeds = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}
    for entry in session.get_inputs():
        if entry.name == "position_ids":
            feeds[entry.name] = np.arange(len(ids))[None]
        elif entry.name not in feeds:
            feeds[entry.name] = empty
    return session.run(["logits"], feeds)[0][0]


def main():
    for name, (fields, options) in CASES.items():
        with tempfile.TemporaryDirectory() as work:
            source, target = f"{work}/source", f"{work}/onnx"
            save_source(source, fields)
            build(source, target, options)
            folder = OUT / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for file in ("model.onnx", "model.onnx.data"):
                shutil.copy(f"{target}/{file}", folder / file)
            shutil.copy(f"{source}/config.json", folder / "config.json")
            ids = [int(i) for i in np.random.default_rng(7).integers(3, 72, TOKENS)]
            values = np.ascontiguousarray(logits(target, ids), dtype="<f4")
            golden = {
                "versions": {
                    "onnxruntime": onnxruntime.__version__, "onnxruntime-genai": onnxruntime_genai.__version__,
                },
                "tokens": ids,
                "logits": base64.b64encode(values.tobytes()).decode(),
            }
            (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
