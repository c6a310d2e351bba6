"""Writes test/golden/tokenizer/files.json: which tokens transformers adds from the files beside tokenizer.json, and how texts are cut then.

Needs `transformers`. Run from the repository's root, after tokenizer.py: python scripts/golden/tokenizer_files.py
"""

import json
import shutil
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

GOLDEN = Path("test/golden/tokenizer")
TEXTS = [
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
    "a <|im_start|> b  <|im_end|>  c<image>d [PAD] Word Words <|end_of_text|> é",
]
START, END = "<|im_start|>", "<|im_end|>"
CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}


def flags(content, **others):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False} | others


def decoder(*tokens):
    """added_tokens_decoder: the first two are those that tokenizer.json has."""
    own = [flags("<|begin_of_text|>", special=True), flags("<|end_of_text|>", special=True)]
    return {str(id): token for id, token in [*enumerate(own), *tokens]}


CASES = {
    "none": {},
    "added_tokens_decoder": {"tokenizer_config.json": {"added_tokens_decoder": decoder((700, flags(START, special=True)), (701, flags(END, special=True)))}},
    "added_tokens_decoder with other ids": {"tokenizer_config.json": {"added_tokens_decoder": decoder((705, flags(END, special=True)), (702, flags(START)))}},
    "added_tokens_decoder, blanks and words": {
        "tokenizer_config.json": {
            "added_tokens_decoder": decoder(
                (700, flags(START, special=True, rstrip=True)), (701, flags(END, lstrip=True, special=True)), (702, flags("Word", single_word=True, normalized=True))
            )
        }
    },
    "added_tokens_decoder changes flags": {"tokenizer_config.json": {"added_tokens_decoder": {"1": flags("<|end_of_text|>", special=False, lstrip=True)}}},
    "additional_special_tokens": {"tokenizer_config.json": {"additional_special_tokens": [START, END]}},
    "additional_special_tokens with flags": {"tokenizer_config.json": {"additional_special_tokens": [{"__type": "AddedToken", **flags(START, rstrip=True)}, END]}},
    "extra_special_tokens": {"tokenizer_config.json": {"extra_special_tokens": [START], "additional_special_tokens": [END]}},
    "extra_special_tokens by name": {"tokenizer_config.json": {"extra_special_tokens": {"image_token": "<image>", "start": START}}},
    "named tokens": {"tokenizer_config.json": {"pad_token": "[PAD]", "unk_token": START, "image_token": "<image>", "mask_token": "é"}},
    "named token with flags": {"tokenizer_config.json": {"pad_token": {"__type": "AddedToken", **flags("[PAD]", lstrip=True, rstrip=True)}}},
    "added_tokens.json": {"added_tokens.json": {END: 701, START: 700}},
    "added_tokens.json and special_tokens_map.json": {
        "added_tokens.json": {START: 700, END: 701, "<image>": 702},
        "special_tokens_map.json": {"additional_special_tokens": [START, END], "pad_token": flags("[PAD]", rstrip=True), "eos_token": END},
    },
    "added_tokens_decoder goes before added_tokens.json": {
        "tokenizer_config.json": {"added_tokens_decoder": decoder((700, flags(START, special=True)))},
        "added_tokens.json": {END: 700},
        "special_tokens_map.json": {"pad_token": "[PAD]"},
    },
    "added_tokens.json names a token of tokenizer.json": {"added_tokens.json": {"<|end_of_text|>": 1, START: 700}},
    "everything": {
        "tokenizer_config.json": {
            "added_tokens_decoder": decoder((700, flags(START, special=True))),
            "additional_special_tokens": [END, START],
            "pad_token": "[PAD]",
        },
        "special_tokens_map.json": {"additional_special_tokens": ["<image>"]},
    },
}


def main():
    golden = []
    for name, files in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(GOLDEN / "byte-level" / "tokenizer.json", folder)
            files = files | {"tokenizer_config.json": CONFIG | files.get("tokenizer_config.json", {})}
            for file, content in files.items():
                (Path(folder) / file).write_text(json.dumps(content))
            try:
                tokenizer = AutoTokenizer.from_pretrained(folder)
            except Exception as error:  # what transformers refuses is no golden
                print(f"{name}: {error}")
                continue
        added = json.loads(tokenizer.backend_tokenizer.to_str())["added_tokens"]
        rows = [[text, tokenizer(text, add_special_tokens=False).input_ids] for text in TEXTS]
        golden.append({"name": name, "files": files, "added": added, "rows": rows})
    (GOLDEN / "files.json").write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
