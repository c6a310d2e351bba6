"""llama.cpp on a text as its perplexity tool scores it (tools/perplexity): whole windows of n_ctx tokens, the first of each replaced
by BOS where the tokenizer adds one, and of each the tokens behind the middle scored.

usage: python llama_perplexity.py LIBRARIES < JOB        (needs numpy)

JOB is JSON: {"model", "text": path, "context", "begin", "end"}; windows [begin, end) are scored. The answer is JSON:
  {"tokens": how many the text has, "ids": SHA-256 of them as little-endian int32, "nll": [nats of each window], "scored": tokens a window}
"""

import ctypes as c
import hashlib
import json
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "gguf"))
import llama as peer  # noqa: E402


def decode(llama, context, window, first):
    """Logits behind each token from index `first` on: (len(window) - first, vocabulary)."""
    llama.llama_memory_clear(llama.llama_get_memory(context), True)
    batch = llama.llama_batch_init(len(window), 0, 1)
    batch.n_tokens = len(window)
    for i, token in enumerate(window):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, int(i >= first)
        batch.seq_id[i][0] = 0
    if llama.llama_decode(context, batch) != 0:
        raise SystemExit("llama_decode failed")
    llama.llama_batch_free(batch)


def scored_nll(logits, labels):
    """Sum of -log softmax at the labels, as process_logits: exponentials summed in double precision."""
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        total += np.log(np.exp(row - row.max(), dtype=np.float64).sum()) - float(row[label] - row.max())
    return total


def main():
    llama = peer.load(sys.argv[1])
    llama.llama_batch_free.argtypes = [peer.Batch]
    llama.llama_vocab_get_add_bos.argtypes = llama.llama_vocab_bos.argtypes = [c.c_void_p]
    job = json.load(sys.stdin)
    model = llama.llama_model_load_from_file(job["model"].encode(), llama.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp does not load {job['model']}")
    vocab = llama.llama_model_get_vocab(model)
    text = pathlib.Path(job["text"]).read_bytes().decode()
    # its tools leave out one line break at the end of a file
    tokens = peer.tokenize(llama, vocab, text[:-1] if text.endswith("\n") else text)
    length = job["context"]
    first = length // 2
    context = peer.context_of(llama, model, length)
    size = llama.llama_vocab_n_tokens(vocab)
    nll = []
    for number in range(job["begin"], min(job["end"], len(tokens) // length)):
        window = tokens[number * length : (number + 1) * length]
        if llama.llama_vocab_get_add_bos(vocab) & 0xFF:
            window[0] = llama.llama_vocab_bos(vocab)
        decode(llama, context, window, first)
        logits = np.ctypeslib.as_array(llama.llama_get_logits(context), (length - first, size))
        nll.append(scored_nll(logits[:-1], window[first + 1 :]))
        print(f"window {number + 1}: {nll[-1] / (length - 1 - first):.4f} nats", file=sys.stderr)
    ids = hashlib.sha256(np.array(tokens, dtype="<i4").tobytes()).hexdigest()
    json.dump({"tokens": len(tokens), "ids": ids, "nll": nll, "scored": length - 1 - first}, sys.stdout)


main()
