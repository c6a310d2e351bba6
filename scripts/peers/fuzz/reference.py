"""What a decoder of the llama kind computes, in NumPy and f64, from a description that no file's spelling went into.

usage: python3 reference.py < JOBS

JOBS is JSON: [{"meaning": {...}, "weights": path, "windows": [{"ids", "labels"}]}]; `weights` holds the tensors of
`meaning.shapes` one after another, in f32. A label below 0 is not scored. The answer is JSON: the mean NLL, in nats, of each job's labels.
"""

import json
import sys

import numpy as np


def frequencies(meaning):
    size, theta, scaling = meaning["headSize"], meaning["theta"], meaning["scaling"]
    inverse = 1.0 / theta ** (np.arange(0, size, 2) / size)
    if scaling is None:
        return inverse
    if scaling["type"] == "linear":
        return inverse / scaling["factor"]
    assert scaling["type"] == "llama3"
    original, factor = scaling["original_max_position_embeddings"], scaling["factor"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    wavelength = 2 * np.pi / inverse
    smooth = (original / wavelength - low) / (high - low)
    between = (1 - smooth) * inverse / factor + smooth * inverse
    slow, fast = wavelength > original / low, wavelength < original / high
    return np.where(slow, inverse / factor, np.where(fast, inverse, between))


def normed(x, weight, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight


def turned(x, angles):
    """x: (heads, tokens, size), the first half of a head's channels paired with the second."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Model:
    def __init__(self, meaning, weights):
        self.meaning = meaning
        values = np.fromfile(weights, "<f4").astype(np.float64)
        ends = np.cumsum([int(np.prod(shape)) for shape in meaning["shapes"].values()])
        assert ends[-1] == len(values)
        parts = np.split(values, ends[:-1])
        self.tensors = {
            name: part.reshape(shape) for (name, shape), part in zip(meaning["shapes"].items(), parts)
        }
        if meaning["family"] == "phi3":
            self.split()

    def split(self):
        heads, keys, size = (self.meaning[k] for k in ("heads", "keyValueHeads", "headSize"))
        for name in [n for n in self.tensors if n.endswith("qkv_proj.weight")]:
            parts = np.split(self.tensors.pop(name), [heads * size, (heads + keys) * size])
            for part, matrix in zip("qkv", parts):
                self.tensors[name.replace("qkv", part)] = matrix
        for name in [n for n in self.tensors if n.endswith("gate_up_proj.weight")]:
            gate, up = np.split(self.tensors.pop(name), 2)
            self.tensors[name.replace("gate_up", "gate")] = gate
            self.tensors[name.replace("gate_up", "up")] = up

    def linear(self, name, x):
        y = x @ self.tensors[f"{name}.weight"].T
        bias = self.tensors.get(f"{name}.bias")
        return y if bias is None else y + bias

    def attention(self, at, x):
        m = self.meaning
        tokens, size = len(x), m["headSize"]
        cut = lambda name, heads: self.linear(f"{at}.{name}", x).reshape(tokens, heads, size).swapaxes(0, 1)  # noqa: E731
        angles = np.outer(np.arange(tokens), frequencies(m))
        q = turned(cut("q_proj", m["heads"]), angles)
        k = turned(cut("k_proj", m["keyValueHeads"]), angles)
        shared = m["heads"] // m["keyValueHeads"]
        k, v = (np.repeat(y, shared, 0) for y in (k, cut("v_proj", m["keyValueHeads"])))
        ago = np.arange(tokens)[:, None] - np.arange(tokens)[None, :]
        hidden = (ago < 0) | (ago >= (m["window"] or tokens))
        scores = np.where(hidden, -np.inf, q @ k.swapaxes(1, 2) / np.sqrt(size))
        return self.linear(f"{at}.o_proj", (softmax(scores) @ v).swapaxes(0, 1).reshape(tokens, -1))

    def logits(self, ids):
        m, t = self.meaning, self.tensors
        x = t["model.embed_tokens.weight"][ids]
        for layer in range(m["layers"]):
            at = f"model.layers.{layer}"
            x = x + self.attention(f"{at}.self_attn", normed(x, t[f"{at}.input_layernorm.weight"], m["epsilon"]))
            u = normed(x, t[f"{at}.post_attention_layernorm.weight"], m["epsilon"])
            gate = self.linear(f"{at}.mlp.gate_proj", u)
            silu = gate / (1 + np.exp(-gate))
            x = x + self.linear(f"{at}.mlp.down_proj", silu * self.linear(f"{at}.mlp.up_proj", u))
        head = t.get("lm_head.weight", t["model.embed_tokens.weight"])
        return normed(x, t["model.norm.weight"], m["epsilon"]) @ head.T


def mean_nll(job):
    model = Model(job["meaning"], job["weights"])
    nll = []
    for window in job["windows"]:
        logits = model.logits(window["ids"])
        most = logits.max(-1)
        normalizers = most + np.log(np.exp(logits - most[:, None]).sum(-1))
        nll += [normalizers[i] - logits[i, label] for i, label in enumerate(window["labels"]) if label >= 0]
    return float(np.mean(nll))


json.dump([mean_nll(job) for job in json.load(sys.stdin)], sys.stdout)
