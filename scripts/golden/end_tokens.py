"""Writes test/golden/endTokens/golden.json: small GGUF vocabularies, and at which of their tokens llama.cpp ends a text.

Needs `gguf` and llama.cpp's shared libraries, which `npm run peers -- gguf` fetches into the folder for temporary files. Run from
the repository's root: python scripts/golden/end_tokens.py LIBRARIES
"""

import ctypes as c
import json
import sys
import tempfile
from pathlib import Path

import gguf

OUT = Path("test/golden/endTokens/golden.json")
NORMAL, CONTROL = 1, 3

# (name, special tokens behind the letters a … z, metadata that name some of them by their text)
CASES = [
    ("one EOS", ["<s>", "</s>"], {"bos": "<s>", "eos": "</s>"}),
    ("an end of turn that the metadata name", ["<bos>", "<stop>", "<turn over>"], {"eos": "<stop>", "eot": "<turn over>"}),
    ("an end of message that the metadata name", ["<stop>", "<message over>"], {"eos": "<stop>", "eom": "<message over>"}),
    ("headers, with ends that only their texts tell", ["<|begin_of_text|>", "<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"],
     {"bos": "<|begin_of_text|>", "eos": "<|end_of_text|>"}),
    ("turns by <|im_end|>", ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], {"bos": "<|endoftext|>", "eos": "<|im_end|>"}),
    ("marks of code infilling", ["<|endoftext|>", "<reponame>", "<|file_sep|>", "<|fim_pad|>", "<|fim_middle|>"], {"eos": "<|endoftext|>"}),
    ("infilling that the metadata name", ["</s>", "<pad here>", "<|fim_pad|>"], {"eos": "</s>", "fim_pad": "<pad here>"}),
    ("turns by <end_of_turn>", ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"], {"bos": "<bos>", "eos": "<eos>"}),
    ("<|end|> that ends no text", ["<|return|>", "<|call|>", "<|end|>", "<|endoftext|>"], {"eos": "<|return|>"}),
    ("<|end|> that does", ["<|end|>", "<|endoftext|>"], {"eos": "<|endoftext|>"}),
    ("</s> that ends no text", ["<eos>", "</s>", "<turn|>", "<|tool_response>"], {"eos": "<eos>"}),
]  # fmt: skip

KEYS = {name: f"tokenizer.ggml.{name}_token_id" for name in ("bos", "eos", "eot", "eom", "fim_pad")}


def write(path, tokens, types, ids):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(8)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(8)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(["a b"])
    for key, value in ids.items():
        writer.add_uint32(key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def ends_of(llama, path, size):
    parameters = llama.llama_model_default_params()
    view = (c.c_uint8 * c.sizeof(parameters)).from_buffer(parameters)
    # vocab_only is the first of the flags behind the pointers; the third is on by default
    assert list(view[72:75]) == [0, 0, 1], "llama_model_params has another layout"
    view[72] = 1
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    vocab = llama.llama_model_get_vocab(model)
    llama.llama_vocab_is_eog.argtypes = [c.c_void_p, c.c_int32]
    llama.llama_vocab_is_eog.restype = c.c_bool
    return [i for i in range(size) if llama.llama_vocab_is_eog(vocab, i)]


def main():
    libraries = sys.argv[1]
    source = Path("scripts/peers/gguf/llama.py").read_text().removesuffix("\n\nmain()\n")
    peer = {"__name__": "llama"}
    exec(compile(source, "llama.py", "exec"), peer)
    llama = peer["load"](libraries)
    cases = []
    for name, special, named in CASES:
        tokens = [chr(97 + i) for i in range(26)] + ["ab"] + special
        types = [NORMAL] * 27 + [CONTROL] * len(special)
        ids = {KEYS[key]: tokens.index(text) for key, text in named.items()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocabulary.gguf"
            write(path, tokens, types, ids)
            ends = ends_of(llama, path, len(tokens))
        cases.append({"name": name, "tokens": tokens, "types": types, "ids": ids, "ends": ends})
        print(name, [tokens[i] for i in ends])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("\n".join(["[", ",\n".join(json.dumps(case) for case in cases), "]"]) + "\n")


main()
