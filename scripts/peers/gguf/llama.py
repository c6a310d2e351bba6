"""llama.cpp at work on a GGUF file, through its own shared library. Standard library only.

usage: python3 llama.py LIBRARIES < JOB

LIBRARIES is the folder with libllama and ggml's libraries. JOB is JSON, one of
  {"run": {"model", "texts": [text], "windows": [[token]], "logits": path}}  tokens of the texts, logits of every position
  {"tokenize": {"models": [path], "texts": [text]}}                          tokens by model, from the vocabulary alone
  {"quantize": {"input", "output", "type", "pure"}}                          llama_model_quantize; pure: one type for all
The answer is JSON on standard output; logits are written to `logits` as f32, window after window.
"""

import ctypes as c
import json
import sys
from pathlib import Path

FILE_TYPES = {
    "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12, "Q3_K_L": 13,
    "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30,
}  # fmt: skip


class Parameters(c.Structure):
    """Any of llama.h's parameter structs: passed by value on the stack, where a longer one does no harm."""

    _fields_ = [("words", c.c_int32 * 128)]


class Batch(c.Structure):
    _fields_ = [
        ("n_tokens", c.c_int32), ("token", c.POINTER(c.c_int32)), ("embd", c.c_void_p), ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)), ("seq_id", c.POINTER(c.POINTER(c.c_int32))), ("logits", c.POINTER(c.c_int8)),
    ]  # fmt: skip


LOG = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)


@LOG
def on_log(level, text, _data):
    if level == 4:  # errors
        sys.stderr.write(text.decode(errors="replace"))


def load(folder):
    find = lambda pattern: str(sorted(Path(folder).glob(pattern))[0])  # noqa: E731
    c.CDLL(find("libggml-base*"), mode=c.RTLD_GLOBAL)
    ggml = c.CDLL(find("libggml.*"), mode=c.RTLD_GLOBAL)
    llama = c.CDLL(find("libllama.*"), mode=c.RTLD_GLOBAL)
    llama.llama_log_set(on_log, None)
    ggml.ggml_backend_load_all_from_path(str(folder).encode())
    llama.llama_backend_init()
    pointers = [
        "llama_model_load_from_file", "llama_init_from_model", "llama_model_get_vocab", "llama_get_memory",
    ]  # fmt: skip
    for name in pointers:
        getattr(llama, name).restype = c.c_void_p
    for name in ("llama_model_default_params", "llama_context_default_params", "llama_model_quantize_default_params"):
        getattr(llama, name).restype = Parameters
    llama.llama_model_load_from_file.argtypes = [c.c_char_p, Parameters]
    llama.llama_init_from_model.argtypes = [c.c_void_p, Parameters]
    llama.llama_model_get_vocab.argtypes = [c.c_void_p]
    llama.llama_get_memory.argtypes = [c.c_void_p]
    llama.llama_memory_clear.argtypes = [c.c_void_p, c.c_bool]
    llama.llama_vocab_n_tokens.argtypes = [c.c_void_p]
    llama.llama_batch_init.restype = Batch
    llama.llama_decode.argtypes = [c.c_void_p, Batch]
    llama.llama_get_logits.argtypes = [c.c_void_p]
    llama.llama_get_logits.restype = c.POINTER(c.c_float)
    llama.llama_tokenize.argtypes = [
        c.c_void_p, c.c_char_p, c.c_int32, c.POINTER(c.c_int32), c.c_int32, c.c_bool, c.c_bool,
    ]  # fmt: skip
    llama.llama_model_quantize.argtypes = [c.c_char_p, c.c_char_p, c.POINTER(Parameters)]
    return llama


def context_of(llama, model, length):
    """Without flash attention and with keys and values in f32, so that only the weights' own arithmetic differs."""
    parameters = llama.llama_context_default_params()
    words = parameters.words
    # n_ctx, n_batch, n_ubatch; then flash_attn_type (-1, automatic), type_k and type_v (1, f16) of this version's struct
    words[0] = words[1] = words[2] = length
    assert (words[13], words[26], words[27]) == (-1, 1, 1), "llama_context_params has another layout"
    # its threads spin while they wait: more of them than free cores take minutes for what one does in a second
    assert words[7] == words[8], "llama_context_params has another layout"
    words[7] = words[8] = 1
    words[13] = words[26] = words[27] = 0
    return llama.llama_init_from_model(model, parameters)


def tokenize(llama, vocab, text, special=False):
    """special: control tokens in the text are taken as such, as in a rendered chat"""
    data = text.encode()
    out = (c.c_int32 * (len(data) + 16))()
    count = llama.llama_tokenize(vocab, data, len(data), out, len(out), True, special)
    return list(out[:count])


def tokenize_all(llama, job):
    """None for a model whose vocabulary is refused."""
    parameters = llama.llama_model_default_params()
    view = (c.c_uint8 * c.sizeof(parameters)).from_buffer(parameters)
    # vocab_only, check_tensors, use_extra_bufts, of which the last is on by default
    assert list(view[72:75]) == [0, 0, 1], "llama_model_params has another layout"
    view[72] = 1
    tokens = []
    for path in job["models"]:
        model = llama.llama_model_load_from_file(path.encode(), parameters)
        vocab = model and llama.llama_model_get_vocab(model)
        tokens.append([tokenize(llama, vocab, text, special=True) for text in job["texts"]] if model else None)
    return {"tokens": tokens}


def run(llama, job):
    model = llama.llama_model_load_from_file(job["model"].encode(), llama.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp does not load {job['model']}")
    vocab = llama.llama_model_get_vocab(model)
    size = llama.llama_vocab_n_tokens(vocab)
    tokens = [tokenize(llama, vocab, text) for text in job["texts"]]
    context = context_of(llama, model, max(map(len, job["windows"])))
    with open(job["logits"], "wb") as out:
        for window in job["windows"]:
            llama.llama_memory_clear(llama.llama_get_memory(context), True)
            batch = llama.llama_batch_init(len(window), 0, 1)
            batch.n_tokens = len(window)
            for i, token in enumerate(window):
                batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
                batch.seq_id[i][0] = 0
            if llama.llama_decode(context, batch) != 0:
                raise SystemExit("llama_decode failed")
            out.write(c.string_at(llama.llama_get_logits(context), 4 * size * len(window)))
    return {"vocabulary": size, "tokens": tokens}


def quantize(llama, job):
    parameters = llama.llama_model_quantize_default_params()
    view = (c.c_uint8 * c.sizeof(parameters)).from_buffer(parameters)
    # ftype; quantize_output_tensor is on by default, `pure` is the third flag behind it
    assert list(view[16:20]) == [0, 1, 0, 0], "llama_model_quantize_params has another layout"
    parameters.words[1] = FILE_TYPES[job["type"]]
    view[19] = int(job["pure"])
    code = llama.llama_model_quantize(job["input"].encode(), job["output"].encode(), c.byref(parameters))
    if code != 0:
        raise SystemExit(f"llama_model_quantize failed with {code}")
    return {}


def main():
    llama = load(sys.argv[1])
    job = json.load(sys.stdin)
    [(kind, asked)] = job.items()
    answer = {"run": run, "tokenize": tokenize_all, "quantize": quantize}[kind](llama, asked)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
