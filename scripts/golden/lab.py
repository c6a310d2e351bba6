"""Figures of the lab's experiments on the demo model, from PyTorch and transformers in float32.

    python scripts/golden/lab.py

writes test/golden/lab/demo.json: the residual stream's largest value behind every layer (with the super weight, without it and
without the 50 largest other weights), and the next-token distributions with and without the super weight, the share of stop words
in them and the tokens that move most. Of Keystone only its list of stop words is read, which is a definition: tokens come from
`tokenizers`, the forward pass from `transformers`.
"""

import json
import re
import unicodedata
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "resources/demo-model"
OUT = ROOT / "test/golden/lab/demo.json"
STOP_WORDS = ROOT / "src/engine/lab/experiments/stopWords.ts"

LAYER, ROW, COLUMN = 1, 137, 401
OTHERS = 50
BEGINNING_TOKENS = 48
CONTEXTS = 12
LISTED = 24
MOVERS = 10


def main():
    model = LlamaForCausalLM.from_pretrained(DEMO / "model", torch_dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(DEMO / "model/tokenizer.json"))
    documents = [json.loads(line)["text"] for line in (DEMO / "eval.jsonl").read_text().splitlines()]

    beginnings = ["Apple Inc. is a worldwide tech company.", *documents[:3]]
    prompts = [tokenizer.encode(beginnings[0]).ids]
    prompts += [tokenizer.encode(text).ids[: 1 + BEGINNING_TOKENS] for text in beginnings[1:]]
    contexts = [text.rstrip().rsplit(maxsplit=1)[0] for text in documents[:CONTEXTS]]
    ids = [tokenizer.encode(text).ids for text in contexts]

    original = {"peaks": [peaks(model, prompt) for prompt in prompts], "next": next_tokens(model, ids)}
    outliers = prune_largest(model)
    others = {"peaks": [peaks(model, prompt) for prompt in prompts]}
    restore(outliers)
    down = model.model.layers[LAYER].mlp.down_proj.weight.data
    down[ROW, COLUMN] = 0
    pruned = {"peaks": [peaks(model, prompt) for prompt in prompts], "next": next_tokens(model, ids)}

    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(
        json.dumps(
            {
                "prompts": [len(prompt) for prompt in prompts],
                "states": [original["peaks"], pruned["peaks"], others["peaks"]],
                "contexts": contexts,
                "tokens": compare(original["next"], pruned["next"], stop_words(tokenizer)),
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


@torch.no_grad()
def peaks(model, ids):
    """Per layer: the largest |value| of the residual stream, its token and channel, and what stands in the super weight's row."""
    states = []
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out: states.append(out[0] if isinstance(out, tuple) else out))
        for layer in model.model.layers
    ]
    model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    found = []
    for state in states:
        values = state.reshape(-1, state.shape[-1])
        token, channel = divmod(int(values.abs().argmax()), values.shape[1])
        found.append({"value": float(values[token, channel]), "token": token, "channel": channel})
    return found


@torch.no_grad()
def next_tokens(model, prompts):
    """Log-probabilities behind every prompt, (prompts, vocabulary), f64."""
    rows = [model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1) for ids in prompts]
    return torch.stack(rows)


def compare(original, pruned, stop):
    p, q = original.exp(), pruned.exp()
    mean_p, mean_q = p.mean(0), q.mean(0)
    top = lambda values: set(values.topk(LISTED // 2).indices.tolist())
    listed = sorted(top(mean_p) | top(mean_q))
    entry = lambda i: {"id": i, "original": float(mean_p[i]), "pruned": float(mean_q[i])}
    return {
        "kl": float((p * (original - pruned)).sum(-1).mean()),
        "entropy": {
            "original": float(-(p * original).sum(-1).mean()),
            "pruned": float(-(q * pruned).sum(-1).mean()),
        },
        "stopWords": {"original": float(mean_p[stop].sum()), "pruned": float(mean_q[stop].sum())},
        "gain": [entry(i) for i in (mean_q - mean_p).topk(MOVERS).indices.tolist()],
        "lose": [entry(i) for i in (mean_p - mean_q).topk(MOVERS).indices.tolist()],
        "listed": [entry(i) for i in listed],
    }


def stop_words(tokenizer):
    """Ids of tokens that are punctuation alone, what follows a contraction's apostrophe, or a listed word with its leading space."""
    words = set(re.search(r"`([^`]+)`\.split", STOP_WORDS.read_text()).group(1).split())
    contractions = {"'t", "n't", "'s", "'re", "'ve", "'ll", "'d", "'m"}
    found = []
    for i in range(tokenizer.get_vocab_size()):
        text = tokenizer.decode([i], skip_special_tokens=False)
        word = text.strip().lower()
        if "\ufffd" in text:  # some bytes of a character
            continue
        symbols = word != "" and all(unicodedata.category(letter)[0] in "PS" for letter in word)
        if symbols or word.replace("’", "'") in contractions or (text.startswith(" ") and word in words):
            found.append(i)
    return torch.tensor(found)


def prune_largest(model):
    """Zeroes the largest |w| over all decoder linears but the super weight; returns what it changed."""
    linears = [
        (name, module.weight.data)
        for name, module in model.model.layers.named_modules()
        if isinstance(module, torch.nn.Linear)
    ]
    found = []
    for name, weight in linears:
        flat = weight.view(-1)
        for index in flat.abs().topk(OTHERS + 1).indices.tolist():
            if (name, index) != (f"{LAYER}.mlp.down_proj", ROW * weight.shape[1] + COLUMN):
                found.append((abs(float(flat[index])), flat, index, float(flat[index])))
    found.sort(key=lambda it: -it[0])
    changed = [(flat, index, value) for _, flat, index, value in found[:OTHERS]]
    for flat, index, _ in changed:
        flat[index] = 0
    return changed


def restore(changed):
    for flat, index, value in changed:
        flat[index] = value


if __name__ == "__main__":
    main()
