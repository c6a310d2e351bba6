"""What a Llama loses without single weights, whole columns and whole rows of down_proj, by a NumPy forward pass.

Reads JSON {model: path of a GGUF file, ids, zeroed: [[layer, row or null, column or null], ...]} from standard input and writes
{nll, results: [{kl, nll}, ...]}, in nats per predicted token, in the order asked. Weights are dequantized by gguf's own code; matrix
products in float32, everything that is summed over the vocabulary or over tokens in float64. Layers before a change are run once.
"""

import json
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize


def main() -> None:
    job = json.load(sys.stdin)
    model = Llama(job["model"])
    ids = np.array(job["ids"])
    states = model.all_states(ids)
    labels = ids[1:]
    base = model.log_probabilities(states[-1])[:-1]
    results = []
    for layer, row, column in job["zeroed"]:
        hidden = model.run(states[layer], layer, (row, column))
        changed = model.log_probabilities(hidden)[:-1]
        kl = (np.exp(base) * (base - changed)).sum(axis=1).mean()
        results.append({"kl": float(kl), "nll": float(-changed[np.arange(len(labels)), labels].mean())})
    nll = float(-base[np.arange(len(labels)), labels].mean())
    json.dump({"nll": nll, "results": results}, sys.stdout)


class Llama:
    def __init__(self, path: str) -> None:
        reader = GGUFReader(path)
        field = lambda name: reader.fields[f"llama.{name}"].contents()
        self.layers = field("block_count")
        self.heads = field("attention.head_count")
        self.groups = field("attention.head_count_kv")
        self.epsilon = field("attention.layer_norm_rms_epsilon")
        self.theta = field("rope.freq_base")
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}

    def weight(self, name: str) -> np.ndarray:
        tensor = self.tensors[name]
        return dequantize(tensor.data, tensor.tensor_type).astype(np.float32)

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        scale = np.sqrt((x.astype(np.float64) ** 2).mean(axis=-1, keepdims=True) + self.epsilon)
        return (x / scale).astype(np.float32) * self.weight(name)

    def all_states(self, ids: np.ndarray) -> list[np.ndarray]:
        states = [self.weight("token_embd.weight")[ids]]
        for layer in range(self.layers):
            states.append(self.layer(states[-1], layer, None))
        return states

    def run(self, hidden: np.ndarray, first: int, change: tuple) -> np.ndarray:
        hidden = self.layer(hidden, first, change)
        for layer in range(first + 1, self.layers):
            hidden = self.layer(hidden, layer, None)
        return hidden

    def layer(self, x: np.ndarray, layer: int, change: tuple | None) -> np.ndarray:
        name = f"blk.{layer}."
        h = x + self.attention(self.norm(x, name + "attn_norm.weight"), name)
        u = self.norm(h, name + "ffn_norm.weight")
        gate = u @ self.weight(name + "ffn_gate.weight").T
        up = u @ self.weight(name + "ffn_up.weight").T
        down = self.weight(name + "ffn_down.weight").copy()
        if change is not None:
            row, column = change
            down[slice(None) if row is None else row, slice(None) if column is None else column] = 0
        return h + (gate / (1 + np.exp(-gate)) * up) @ down.T

    def attention(self, u: np.ndarray, name: str) -> np.ndarray:
        length, size = u.shape
        head = size // self.heads
        # llama.cpp's order of query and key rows turns neighbours; the file keeps that order
        queries = self.turn((u @ self.weight(name + "attn_q.weight").T).reshape(length, self.heads, head))
        keys = self.turn((u @ self.weight(name + "attn_k.weight").T).reshape(length, self.groups, head))
        values = (u @ self.weight(name + "attn_v.weight").T).reshape(length, self.groups, head)
        repeat = self.heads // self.groups
        keys, values = np.repeat(keys, repeat, axis=1), np.repeat(values, repeat, axis=1)
        scores = np.einsum("qhd,khd->hqk", queries, keys) / np.sqrt(head)
        scores = np.where(np.tril(np.ones((length, length), dtype=bool)), scores, -np.inf).astype(np.float64)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)
        mixed = np.einsum("hqk,khd->qhd", shares, values).reshape(length, size)
        return mixed @ self.weight(name + "attn_output.weight").T

    def turn(self, x: np.ndarray) -> np.ndarray:
        """Rotary positions over neighbouring pairs."""
        length, _, head = x.shape
        frequencies = self.theta ** (-np.arange(0, head, 2, dtype=np.float64) / head)
        angles = np.arange(length)[:, None] * frequencies
        cos, sin = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
        even, odd = x[..., 0::2], x[..., 1::2]
        turned = np.empty_like(x)
        turned[..., 0::2] = even * cos - odd * sin
        turned[..., 1::2] = even * sin + odd * cos
        return turned

    def log_probabilities(self, hidden: np.ndarray) -> np.ndarray:
        head = "output.weight" if "output.weight" in self.tensors else "token_embd.weight"
        logits = (self.norm(hidden, "output_norm.weight") @ self.weight(head).T).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


if __name__ == "__main__":
    main()
