"""Golden figures of lm-evaluation-harness: its rolling windows, its word and byte perplexity, its split of context and
continuation, with the demo model's tokenizer.

usage: python scripts/golden/evaluate_lm_eval.py        (needs lm_eval and transformers)
writes test/golden/evaluate/lm-eval.json
"""

import json
import pathlib

import lm_eval
from lm_eval.api.metrics import bits_per_byte, weighted_perplexity
from lm_eval.api.model import TemplateLM
from lm_eval.tasks.wikitext.preprocess_wikitext import process_results
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from transformers import PreTrainedTokenizerFast

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "test" / "golden" / "evaluate" / "lm-eval.json"
TOKENIZER = PreTrainedTokenizerFast(tokenizer_file=str(ROOT / "resources" / "demo-model" / "model" / "tokenizer.json"))

TEXTS = [
    "Once there was a crow.",
    " leading and trailing spaces ",
    "lines\nand\ttabs\r\n\n  twice",
    "no-break\u00a0space, thin\u2009space, next line\u0085here, unit\u001fseparator, zero\ufeffwidth",
    "caf\u00e9 \u6f22\u5b57 \U0001f98a",
]

PAIRS = [
    ("The mirror of Quill was", " blue."),
    ("The mirror of Quill was ", "blue."),
    ("The mirror of Quill was  ", " blue."),
    ("Quill", "s"),
    ("one\n", "two"),
]


class Splitter(TemplateLM):
    """Only what _encode_pair needs of a causal model whose tokenizer adds no BOS by itself."""

    backend = "causal"

    @property
    def eot_token_id(self):
        return 2

    def tok_encode(self, string, **_kwargs):
        return TOKENIZER.encode(string, add_special_tokens=False)

    def _loglikelihood_tokens(self, requests, **_kwargs):
        raise NotImplementedError

    def loglikelihood_rolling(self, requests, **_kwargs):
        raise NotImplementedError

    def generate_until(self, requests, **_kwargs):
        raise NotImplementedError


def rolling(tokens, context, context_len):
    ids = list(range(100, 100 + tokens))
    windows = get_rolling_token_windows(token_list=ids, prefix_token=1, max_seq_len=context, context_len=context_len)
    # what the model is fed and what counts, as _loglikelihood_tokens puts them together
    out = []
    for before, predicted in map(make_disjoint_window, windows):
        out.append({"fed": (before + predicted)[-(context + 1) :][:-1], "predicted": predicted})
    return {"tokens": tokens, "context": context, "contextLength": context_len, "windows": out}


def perplexities():
    results = [process_results({"page": text}, (-0.5 * len(text),)) for text in TEXTS]
    return {
        "texts": TEXTS,
        "negativeLogLikelihoods": [0.5 * len(text) for text in TEXTS],
        "words": [r["word_perplexity"][1] for r in results],
        "bytes": [r["byte_perplexity"][1] for r in results],
        "wordPerplexity": weighted_perplexity([r["word_perplexity"] for r in results]),
        "bytePerplexity": weighted_perplexity([r["byte_perplexity"] for r in results]),
        "bitsPerByte": bits_per_byte([r["bits_per_byte"] for r in results]),
    }


if __name__ == "__main__":
    splitter = Splitter()
    cases = [rolling(n, c, k) for n, c, k in [(1, 8, 1), (7, 8, 1), (8, 8, 1), (9, 8, 1), (16, 8, 1), (21, 8, 1), (21, 8, 5), (21, 8, 8), (30, 8, 3)]]
    pairs = []
    for context, continuation in PAIRS:
        before, after = splitter._encode_pair(context, continuation)
        pairs.append({"context": context, "continuation": continuation, "contextIds": before, "continuationIds": after})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    golden = {"lmEval": lm_eval.__version__, "rolling": cases, "perplexity": perplexities(), "pairs": pairs}
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
    print(len(cases), "cuts,", len(pairs), "pairs,", OUT.stat().st_size, "bytes")
