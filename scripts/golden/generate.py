"""Writes test/golden/generate/golden.json: what transformers' `generate` goes on with, greedily, from the tiny models of
test/golden/transformers/ and from the demo model with several ways to name the tokens that end a text.

Nothing is cached there: every token comes from the whole text. Needs `torch` and `transformers`. Run from the repository's root:
python scripts/golden/generate.py
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

TINY = Path("test/golden/transformers")
DEMO = Path("resources/demo-model/model")
OUT = Path("test/golden/generate/golden.json")
NAMES = ["llama-tied", "llama-dynamic-beyond", "mistral-window", "phi3-window", "phi3-longrope-long", "qwen2-tied", "llama-biases"]
# from within the windows and contexts of these models to beyond them
TINY_PROMPT, TOKENS = 6, 18
PROMPT = [1, 52, 371, 18, 402]
DEMO_TOKENS = 40


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def go_on(model, prompt, tokens, ends):
    config = GenerationConfig(do_sample=False, max_new_tokens=tokens, eos_token_id=ends, pad_token_id=0, use_cache=False)
    with torch.no_grad():
        ids = torch.tensor([prompt])
        return model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, len(prompt) :].tolist()


def main():
    tiny = []
    for name in NAMES:
        prompt = json.loads((TINY / name / "golden.json").read_text())["tokens"][:TINY_PROMPT]
        tiny.append({"name": name, "prompt": prompt, "tokens": go_on(load(TINY / name), prompt, TOKENS, None)})
    demo = load(DEMO)
    free = go_on(demo, PROMPT, DEMO_TOKENS, None)
    middle, late = free[DEMO_TOKENS // 2], free[-1]
    cases = [
        {"name": "a list in generation_config.json", "generation": {"eos_token_id": [0, middle, late]}, "config": {"eos_token_id": 2}},
        {"name": "a list in config.json", "config": {"eos_token_id": [late, middle]}},
        {"name": "one id in config.json", "config": {"eos_token_id": late}},
    ]  # fmt: skip
    for case in cases:
        ends = case.get("generation", case["config"])["eos_token_id"]
        case["tokens"] = go_on(demo, PROMPT, DEMO_TOKENS, ends)
    golden = {"tiny": tiny, "demo": {"prompt": PROMPT, "limit": DEMO_TOKENS, "free": free, "cases": cases}}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden) + "\n")


main()
