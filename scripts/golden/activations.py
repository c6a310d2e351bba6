"""Quantized activations and SmoothQuant, computed with Hugging Face transformers' Llama and hooks of our own in front of its
linears, in float32 on the CPU. Each window runs alone, without padding.

    python scripts/golden/activations.py test/golden/activations

Needs torch, transformers and safetensors. Writes a tiny random Llama with two planted super weights (config.json,
model.safetensors) and golden.json: for every case the windows, the hidden states behind the last layer and the logits, as
base64 of little-endian float32; for every α the smoothing scales and folded weights; for the demo model perplexities, how far
they move when the linears are summed in float64 (one rounding that falls on the other side moves all that follow), and the last
token's hidden states and logits of a passage on which no rounding does.

Equations: x̂ = round(x / s)·s, s = max|x| / (2^(bits − 1) − 1); unit = a token's vector, or a window. Super activations
[arXiv:2411.07191, section 4.1]: in the residual's `row` channels of the normed inputs behind the super weight's layer, and in
`column` of its own down_proj's input, elements at or above 8 × the window's median |x|; they are replaced by their unit's
median, and put back. SmoothQuant [arXiv:2211.10438, eq. 3 and 4]: s_j = max|X_j|^α / max|W_j|^(1 − α), the norm's weight over s,
the linears' columns times s, every s and max|W_j| at least 1e-5.

The tokens of a tiny case are those of the first seed for which no rounding lies within MARGIN of a tie: there float32 noise
would decide.
"""

import base64
import json
import math
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AttentionInterface, AutoConfig, AutoModelForCausalLM

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "resources" / "demo-model"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 48,
    "max_position_embeddings": 32,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
}
SUPER_WEIGHTS = [[0, 5, 11], [1, 20, 30]]
DEMO_SUPER_WEIGHTS = [[1, 137, 401]]
LENGTHS = [9, 9, 6]
MARGIN = 4e-5
LEAST = 1e-5
DEMO_DOCUMENTS = 8
DEMO_PASSAGE = 16


def encode(tensor):
    values = tensor.detach().to(torch.float32).contiguous()
    return {"shape": list(values.shape), "f32": base64.b64encode(values.numpy().astype("<f4").tobytes()).decode()}


def median(values):
    """Of each row; the mean of the middle two."""
    ordered = values.sort(dim=-1).values
    n = ordered.shape[-1]
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2


class Quantizer:
    """What a case does to the inputs of one model's linears and attention products."""

    def __init__(self, bits=8, per="token", matmuls=False, super_weights=()):
        self.levels = 2 ** (bits - 1) - 1
        self.per, self.matmuls, self.super_weights = per, matmuls, super_weights
        self.margin, self.kept = 1.0, 0

    def round(self, x, scale):
        scaled = x / scale
        self.margin = min(self.margin, (scaled - scaled.floor() - 0.5).abs().min().item())
        return torch.round(scaled) * scale

    def quantize(self, x, dims):
        largest = x.abs().amax(dim=dims, keepdim=True)
        return self.round(x, (largest / self.levels).clamp(min=2.0**-126))

    def rows(self, x):
        """x: (1, tokens, width)"""
        return self.quantize(x, (2,) if self.per == "token" else (1, 2))

    def keep(self, x, channels):
        """The same with super activations replaced and put back."""
        if not channels:
            return self.rows(x)
        found = torch.zeros_like(x, dtype=torch.bool)
        found[..., channels] = x[..., channels].abs() >= 8 * median(x.abs().flatten())
        self.kept += int(found.sum())
        middle = median(x).unsqueeze(-1) if self.per == "token" else median(x.flatten())
        return torch.where(found, x, self.rows(torch.where(found, middle, x)))

    def attach(self, model):
        handles = []

        def hook(module, change):
            handles.append(module.register_forward_pre_hook(lambda _module, args: (change(args[0]), *args[1:])))

        for index, layer in enumerate(model.model.layers):
            rows = sorted({row for of, row, _ in self.super_weights if of < index})
            columns = sorted({column for of, _, column in self.super_weights if of == index})
            attention, mlp = layer.self_attn, layer.mlp
            for linear in (attention.q_proj, attention.k_proj, attention.v_proj, mlp.gate_proj, mlp.up_proj):
                hook(linear, lambda x, rows=rows: self.keep(x, rows))
            hook(attention.o_proj, self.rows)
            hook(mlp.down_proj, lambda x, columns=columns: self.keep(x, columns))
        model.config._attn_implementation = "quantized"
        ATTENTION["quantizer"] = self if self.matmuls else None
        return handles


ATTENTION = {"quantizer": None}


def attention(module, query, key, value, attention_mask, scaling, **_kwargs):
    """softmax(q·kᵀ·scaling + mask)·v; q, k, v and the probabilities quantized, a token's heads together."""
    quantizer = ATTENTION["quantizer"]
    dims = None if quantizer is None else ((1, 3) if quantizer.per == "token" else (1, 2, 3))
    through = (lambda x: x) if quantizer is None else (lambda x: quantizer.quantize(x, dims))
    groups = query.shape[1] // key.shape[1]
    q, k, v = (through(x) for x in (query, key, value))
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    tokens = q.shape[2]
    hidden = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    scores = (q @ k.transpose(2, 3) * scaling).masked_fill(hidden, float("-inf"))
    mixed = through(scores.softmax(-1)) @ v
    return mixed.transpose(1, 2).contiguous(), None


AttentionInterface.register("quantized", attention)


def run(model, windows):
    """Hidden states behind the last layer, and logits, of all windows below one another."""
    hidden, logits = [], []
    handle = model.model.layers[-1].register_forward_hook(
        lambda _module, _args, output: hidden.append((output[0] if isinstance(output, tuple) else output).reshape(-1, model.config.hidden_size))
    )
    with torch.no_grad():
        for window in windows:
            logits.append(model(torch.tensor([window]), use_cache=False).logits[0])
    handle.remove()
    return torch.cat(hidden), torch.cat(logits)


def run_quantized(model, windows, quantizer):
    handles = quantizer.attach(model)
    result = run(model, windows)
    for handle in handles:
        handle.remove()
    return result


def groups_of(layer):
    return [
        (layer.input_layernorm, [layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj]),
        (layer.post_attention_layernorm, [layer.mlp.gate_proj, layer.mlp.up_proj]),
    ]


def calibrate(model, windows):
    """max |x| of every channel of the inputs: [layer][group]."""
    maxima = [[torch.zeros(model.config.hidden_size) for _ in groups_of(layer)] for layer in model.model.layers]
    handles = []
    for of, layer in zip(maxima, model.model.layers):
        for group, (_norm, linears) in enumerate(groups_of(layer)):
            def note(_module, args, of=of, group=group):
                of[group] = torch.maximum(of[group], args[0].abs().flatten(0, -2).amax(0))

            handles.append(linears[0].register_forward_pre_hook(note))
    run(model, windows)
    for handle in handles:
        handle.remove()
    return maxima


def smooth(model, maxima, alpha):
    """Folds the scales into norms and linears, in place; gives the scales."""
    scales = []
    for layer, of in zip(model.model.layers, maxima):
        for (norm, linears), largest in zip(groups_of(layer), of):
            weights = torch.cat([linear.weight.abs() for linear in linears]).amax(0).clamp(min=LEAST)
            s = (largest.pow(alpha) / weights.pow(1 - alpha)).clamp(min=LEAST)
            norm.weight.data /= s
            for linear in linears:
                linear.weight.data *= s
            scales.append(s)
    return scales


def quantize_weights(model, dtype):
    """8-bit symmetric integers, one f16 scale a tensor, ŵ in the checkpoint's type."""
    for layer in model.model.layers:
        for _name, linear in layer.named_modules():
            if not isinstance(linear, torch.nn.Linear):
                continue
            weight = linear.weight.data
            scale = (weight.abs().max() / 127).to(torch.float16).to(torch.float32)
            linear.weight.data = (torch.round(weight / scale).clamp(-127, 127) * scale).to(dtype).to(torch.float32)


def plant(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        scale = 1.0 if "embed_tokens" in name else 1.2 / parameter.shape[-1] ** 0.5
        parameter.data.copy_(1 + 0.2 * noise if "norm" in name else scale * noise)
    for layer, row, column in SUPER_WEIGHTS:
        mlp = model.model.layers[layer].mlp
        mlp.gate_proj.weight.data[column] *= 4
        mlp.up_proj.weight.data[column] *= 4
        mlp.down_proj.weight.data[row, column] = 3


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="quantized").eval()


def random_windows(seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, CONFIG["vocab_size"], (length,), generator=generator).tolist() for length in LENGTHS]


def first_without_ties(model, make):
    """Tokens of the first seed whose case rounds nothing near a tie, and what comes of them."""
    for seed in range(10_000):
        windows, quantizer = random_windows(seed), make()
        hidden, logits = run_quantized(model, windows, quantizer)
        if quantizer.margin > MARGIN:
            return windows, quantizer, hidden, logits
    raise RuntimeError("every seed has a tie")


def tiny_cases(folder):
    cases = []
    for per in ("token", "tensor"):
        for matmuls in (False, True):
            for method in ("naive", "super-activation"):
                of = SUPER_WEIGHTS if method == "super-activation" else ()
                settings = {"bits": 8, "per": per, "matmuls": matmuls, "method": method}
                cases.append((settings, lambda per=per, matmuls=matmuls, of=of: Quantizer(8, per, matmuls, of)))
    cases.append(({"bits": 4, "per": "token", "matmuls": False, "method": "super-activation"}, lambda: Quantizer(4, "token", False, SUPER_WEIGHTS)))
    model, found = load(folder), []
    for settings, make in cases:
        windows, quantizer, hidden, logits = first_without_ties(model, make)
        assert (quantizer.kept > 0) == (settings["method"] == "super-activation")
        unquantized = run(model, windows)[1]
        print(settings, "kept", quantizer.kept, "margin", quantizer.margin, "changes logits by", (logits - unquantized).abs().max().item())
        found.append({"activations": settings, "windows": windows, "kept": quantizer.kept, "hidden": encode(hidden), "logits": encode(logits)})
    return found


def tiny_smoothing(folder):
    calibration = random_windows(77)
    maxima = calibrate(load(folder), calibration)
    found = []
    for alpha in (0.0, 0.5, 0.85, 1.0):
        model = load(folder)
        scales = smooth(model, maxima, alpha)
        layer = model.model.layers[1]
        folded = {
            "model.layers.1.input_layernorm.weight": layer.input_layernorm.weight,
            "model.layers.1.post_attention_layernorm.weight": layer.post_attention_layernorm.weight,
            "model.layers.1.self_attn.k_proj.weight": layer.self_attn.k_proj.weight,
            "model.layers.1.mlp.up_proj.weight": layer.mlp.up_proj.weight,
        }
        found.append({"alpha": alpha, "scales": [encode(s) for s in scales], "folded": {name: encode(w) for name, w in folded.items()}})
    outputs = []
    for per in ("token", "tensor"):
        model = load(folder)
        smooth(model, maxima, 0.85)
        quantize_weights(model, torch.float16)
        windows, quantizer, hidden, logits = first_without_ties(model, lambda per=per: Quantizer(8, per))
        print("smoothquant W8A8", per, "margin", quantizer.margin)
        outputs.append({"per": per, "windows": windows, "hidden": encode(hidden), "logits": encode(logits)})
    flat = [largest for of in maxima for largest in of]
    return {"calibration": calibration, "maxima": [encode(m) for m in flat], "alphas": found, "w8a8": outputs}


def demo_windows(name, count):
    """Each document on its own, in windows of context − 1 tokens led by BOS, all but what is fed last predicted."""
    tokenizer = Tokenizer.from_file(str(DEMO / "model" / "tokenizer.json"))
    context, bos = 192, 1
    windows = []
    for line in (DEMO / name).read_text().splitlines()[:count]:
        ids = tokenizer.encode(json.loads(line)["text"], add_special_tokens=False).ids
        windows += [[bos, *ids[begin : begin + context - 1]] for begin in range(0, len(ids), context - 1)]
    return windows


def mean_nll(model, windows):
    _hidden, logits = run(model, [window[:-1] for window in windows])
    labels = torch.tensor([token for window in windows for token in window[1:]])
    chosen = logits.to(torch.float64).log_softmax(-1)[torch.arange(len(labels)), labels]
    return -chosen.mean().item()


def summed_exactly(model):
    """The same with the linears' sums in float64: another float32 computation of the same equations."""
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.forward = lambda x, weight=module.weight: (x.double() @ weight.double().T).float()
    return model


def demo_model(weights, smoothing):
    model = load(DEMO / "model")
    if smoothing is not None:
        smooth(model, calibrate(model, [w[:-1] for w in demo_windows("calibration.jsonl", DEMO_DOCUMENTS)]), smoothing)
    if weights == "8-bit":
        quantize_weights(model, torch.float16)
    return model


def passage_without_ties(model, other, make):
    """The first beginning of a document on which float32 noise decides no rounding, and what comes of it."""
    for window in demo_windows("eval.jsonl", 10_000):
        passage = window[:DEMO_PASSAGE]
        if passage[0] != 1 or len(passage) < DEMO_PASSAGE:
            continue
        hidden, logits = run_quantized(model, [passage], make())
        if (run_quantized(other, [passage], make())[1] - logits).abs().max() < 1e-5 * logits.abs().max():
            return passage, hidden, logits
    raise RuntimeError("every passage has a tie")


def demo_case(name, weights, smoothing, make):
    """Perplexity on the first documents, and a passage's last hidden states and logits."""
    model, other = demo_model(weights, smoothing), summed_exactly(demo_model(weights, smoothing))
    windows = demo_windows("eval.jsonl", DEMO_DOCUMENTS)
    found = []
    for each in (model, other):
        quantizer = make()
        handles = quantizer.attach(each)
        found.append(math.exp(mean_nll(each, windows)))
        for handle in handles:
            handle.remove()
    passage, hidden, logits = passage_without_ties(model, other, make)
    ATTENTION["quantizer"] = None
    print("demo", name, weights, found, "kept", quantizer.kept)
    return {
        "weights": weights,
        "perplexity": found[0],
        "noise": abs(found[1] / found[0] - 1),
        "tokens": sum(len(window) - 1 for window in windows),
        "passage": passage,
        "hidden": encode(hidden[-1:]),
        "logits": encode(logits[-1:]),
    }


def demo_cases():
    cases = []
    for per in ("token", "tensor"):
        for bits in (8, 5):
            for method in ("naive", "super-activation", "smoothquant"):
                of = DEMO_SUPER_WEIGHTS if method == "super-activation" else ()
                smoothing = 0.85 if method == "smoothquant" else None
                settings = {"bits": bits, "per": per, "matmuls": False, "method": method, "alpha": 0.85}
                cases.append({"activations": settings, **demo_case(f"{method} A{bits} per {per}", "8-bit", smoothing, lambda bits=bits, per=per, of=of: Quantizer(bits, per, False, of))})
    return {"documents": DEMO_DOCUMENTS, "superWeights": DEMO_SUPER_WEIGHTS, "cases": cases}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    plant(model, torch.Generator().manual_seed(5))
    save_file({name: tensor.to(torch.float16).contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors", metadata={"format": "pt"})
    eager = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ours = load(folder)
    assert torch.allclose(run(eager, random_windows(1))[1], run(ours, random_windows(1))[1], atol=1e-5)
    golden = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "superWeights": SUPER_WEIGHTS,
        "cases": tiny_cases(folder),
        "smoothing": tiny_smoothing(folder),
        "demo": demo_cases(),
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


main()
