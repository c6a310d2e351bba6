"""Figures of the demo model over the beginning of its text, from PyTorch and transformers in float32: what
resources/demo-model/golden.json gives over all of it, for tests that are run every time.

    python scripts/golden/demo.py                 writes test/golden/demo/golden.json
    python scripts/golden/demo.py --whole         prints how far its figures over the whole text are from golden.json's

Recipes, ablations and tasks are those of golden.json. Weights are quantized by the published formulae (scripts/golden/quantize.py
has them one block at a time) and rounded to f16; windows hold BOS and up to 191 tokens of one document.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "resources/demo-model"
OUT = ROOT / "test/golden/demo/golden.json"
SUPER_WEIGHT = (1, 137, 401)
CONTEXT = 192
BOS = 1
TOKENS = 1500
ITEMS = 60
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

NF4 = [-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
       -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
       0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1]
NF3 = [-1, -0.5350227355957031, -0.2469314038753510, 0, 0.1833375245332718, 0.3819939494132996, 0.6229856610298157, 1]


def f16(x):
    y = x.to(torch.float16).to(torch.float32)
    return torch.where(y == 0, torch.tensor(2.0**-24), y)


def rtn(w, bits, _symmetric):
    lo, hi = w.amin(1, True), w.amax(1, True)
    s = (2**bits - 1) / (hi - lo)
    return torch.where(lo == hi, w, torch.round((w - lo) * s) / s + lo)


def integer(w, bits, symmetric):
    if symmetric:
        top = 2 ** (bits - 1) - 1
        scale = f16(w.abs().amax(1, True) / top)
        return torch.clamp(torch.round(w / scale), -top, top) * scale
    top = 2**bits - 1
    lo, hi = w.amin(1, True).clamp(max=0), w.amax(1, True).clamp(min=0)
    scale = f16((hi - lo) / top)
    zero = torch.clamp(torch.round(-lo / scale), 0, top)
    return (torch.clamp(torch.round(w / scale) + zero, 0, top) - zero) * scale


def normal_float(w, bits, _symmetric):
    levels = torch.tensor(NF3 if bits == 3 else NF4, dtype=torch.float64)
    scale = f16(w.abs().amax(1, True))
    best, nearest = torch.full(w.shape, math.inf, dtype=torch.float64), torch.zeros_like(w)
    for level in levels:  # ascending, so that ties go to the lower
        distance = ((w / scale).double() - level).abs()
        nearest = torch.where(distance < best, level.float(), nearest)
        best = torch.minimum(best, distance)
    return nearest * scale


CODECS = {"rtn": rtn, "int": integer, "nf4": normal_float, "nf3": normal_float}


def blocks_of(w, block):
    """The tensor as matrices with a block in each row; a flat block at the end may be shorter."""
    kind, _, size = block.partition(":")
    if kind == "channel":
        return [w]
    if kind == "tensor":
        return [w.reshape(1, -1)]
    if kind == "group":
        return [w.reshape(-1, int(size))]
    flat, size = w.reshape(-1), int(size)
    whole = flat.numel() // size * size
    return [part for part in (flat[:whole].reshape(-1, size), flat[whole:].reshape(1, -1)) if part.numel()]


def threshold(w, clip, round_trip):
    a = w.abs().double()
    method, t = clip["method"], clip.get("threshold")
    if method == "zscore":
        return (a.mean(1, keepdim=True) + t * a.std(1, keepdim=True)).float()
    if method == "block-percentage":
        size = w.shape[1]
        return w.abs().topk(min(max(math.floor(size * t + 1), 1), size), 1).values[:, -1:]
    if method == "iqr":
        q1, q3 = (torch.from_numpy(np.quantile(a.numpy(), q, axis=1, keepdims=True)) for q in (0.25, 0.75))
        return (q3 + t * (q3 - q1)).float()
    best, least = None, torch.full((w.shape[0], 1), math.inf, dtype=torch.float64)
    for percent in range(100, 49, -1):
        cut = (percent / 100 * a.amax(1, True)).float()
        error = ((w.double() - round_trip(torch.clamp(w, -cut, cut)).double()) ** 2).sum(1, keepdim=True)
        best = cut if best is None else torch.where(error < least, cut, best)
        least = torch.minimum(least, error)
    return best


def quantized(w, recipe, held):
    """@param held (row, column) of the weight that is restored, or None"""
    working = w.clone()
    if held and recipe.get("holdOut"):  # of one block per tensor, which the recipes with holdOut have
        others = torch.cat([w.flatten()[: held[0] * w.shape[1] + held[1]], w.flatten()[held[0] * w.shape[1] + held[1] + 1 :]])
        working[held] = float(np.median(others.numpy().astype(np.float64)))
    codec = CODECS[recipe["codec"]]
    round_trip = lambda x: codec(x, recipe["bits"], recipe.get("symmetric", False))
    clip = recipe.get("clip")
    of_tensor = None
    if clip and clip["method"] == "tensor-percentage":
        k = max(math.floor(working.numel() * clip["threshold"]), 1)
        of_tensor = working.abs().flatten().topk(k).values[-1]
    parts = []
    for part in blocks_of(working, recipe["block"]):
        if clip:
            t = of_tensor if of_tensor is not None else threshold(part, clip, round_trip)
            part = torch.clamp(part, -t, t)
        parts.append(round_trip(part).flatten())
    out = torch.cat(parts).reshape(w.shape).to(torch.float16).float()
    if held:
        out[held] = w[held]
    return out


def linears(model):
    for i, layer in enumerate(model.model.layers):
        for name, module in layer.named_modules():
            if name.split(".")[-1] in LINEARS:
                yield i, name.split(".")[-1], module.weight


def apply(model, recipe):
    restored = {tuple(c) for c in recipe.get("restore", [])}
    assert restored <= {SUPER_WEIGHT}
    for layer, name, weight in linears(model):
        held = SUPER_WEIGHT[1:] if restored and (layer, name) == (SUPER_WEIGHT[0], "down_proj") else None
        weight.data = quantized(weight.data, recipe, held)


def windows(tokenizer, tokens):
    documents = [json.loads(line)["text"] for line in (DEMO / "eval.jsonl").read_text().splitlines()]
    found, scored = [], 0
    for text in documents:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        for at in range(0, len(ids), CONTEXT - 1):
            if scored >= tokens:
                return found
            found.append([BOS, *ids[at : at + CONTEXT - 1]])
            scored += len(found[-1]) - 1
    return found


@torch.no_grad()
def log_probabilities(model, texts):
    """Of every predicted token."""
    return [model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1) for ids in texts]


def scores(found, texts, reference=None):
    labels = [torch.tensor(ids[1:]) for ids in texts]
    nll = torch.cat([-rows.gather(1, of[:, None])[:, 0].double() for rows, of in zip(found, labels)])
    result = {"perplexity": math.exp(nll.mean().item()), "nll": nll.mean().item(), "tokens": nll.numel()}
    if reference is None:
        return result
    kl = torch.cat([(p.double().exp() * (p.double() - q.double())).sum(1) for p, q in zip(reference, found)])
    same = torch.cat([p.argmax(1) == q.argmax(1) for p, q in zip(reference, found)])
    return {**result, "kl": kl.mean().item(), "topAgreement": same.double().mean().item()}


@torch.no_grad()
def ending(model, tokenizer, context, text):
    """Log-probabilities of an ending's tokens behind a context, and whether each is the likeliest."""
    whole = tokenizer.encode(context + text, add_special_tokens=False).ids
    lead = tokenizer.encode(context, add_special_tokens=False).ids
    rows = model(torch.tensor([[BOS, *whole]])).logits[0].log_softmax(-1)[len(lead) : len(whole)]
    labels = torch.tensor(whole[len(lead) :])
    return rows.gather(1, labels[:, None])[:, 0].double().sum().item(), bool((rows.argmax(1) == labels).all())


def tasks(model, tokenizer, items):
    read = lambda name: [json.loads(line) for line in (DEMO / name).read_text().splitlines()][:items]
    last, choice = read("tasks-last-word.jsonl"), read("tasks-choice.jsonl")
    right = [ending(model, tokenizer, it["context"], it["target"])[1] for it in last]
    chosen = []
    for it in choice:
        sums = [ending(model, tokenizer, it["context"], text)[0] for text in it["choices"]]
        chosen.append(sums.index(max(sums)) == it["gold"])
    of = lambda correct: {"n": len(correct), "accuracy": sum(correct) / len(correct)}
    return {"lastWord": of(right), "choice": of(chosen)}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--whole", action="store_true")
    whole = options.parse_args().whole
    golden = json.loads((DEMO / "golden.json").read_text())
    tokenizer = Tokenizer.from_file(str(DEMO / "model/tokenizer.json"))
    texts = windows(tokenizer, math.inf if whole else TOKENS)
    items = None if whole else ITEMS
    fresh = lambda: LlamaForCausalLM.from_pretrained(DEMO / "model", torch_dtype=torch.float32).eval()

    model = fresh()
    reference = log_probabilities(model, texts)
    evaluations = [{"name": "unquantized", **scores(reference, texts)}]
    original = tasks(model, tokenizer, items)
    for name, recipe in ((row["name"], row["recipe"]) for row in golden["evaluations"][1:]):
        model = fresh()
        apply(model, recipe)
        evaluations.append({"name": name, "recipe": recipe, **scores(log_probabilities(model, texts), texts, reference)})
    ablations = []
    for row in golden["ablations"]:
        model = fresh()
        layer, r, c = SUPER_WEIGHT
        model.model.layers[layer].mlp.down_proj.weight.data[r, c] *= float(row["name"].split("x")[-1])
        found = {"name": row["name"], **scores(log_probabilities(model, texts), texts, reference)}
        ablations.append({**found, **({"tasks": tasks(model, tokenizer, items)} if "tasks" in row else {})})
    if whole:
        return compare(golden, evaluations, ablations, original)
    kept = {"evaluations": evaluations, "ablations": ablations, "tasks": original}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(kept, indent=1) + "\n")
    print(len(evaluations), "evaluations of", evaluations[0]["tokens"], "tokens")


def compare(golden, evaluations, ablations, original):
    for ours, theirs in zip([*evaluations, *ablations], [*golden["evaluations"], *golden["ablations"]]):
        assert (ours["name"], ours["tokens"]) == (theirs["name"], theirs["tokens"])
        kl = abs(ours.get("kl", 0) - theirs.get("kl", 0))
        print(f"{ours['name']:28} NLL {ours['nll'] / theirs['nll'] - 1:+.1e}  KL {kl:.1e} of {theirs.get('kl', 0):.1e}")
    print(original, golden["tasks"], ablations[0]["tasks"], golden["ablations"][0]["tasks"], sep="\n")


if __name__ == "__main__":
    main()
