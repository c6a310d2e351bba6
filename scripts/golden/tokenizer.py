"""Writes test/golden/tokenizer/: three small tokenizers trained on the spot and what Hugging Face's own libraries do with them.

Needs `tokenizers` and `transformers`. Run from the repository's root: python scripts/golden/tokenizer.py
"""

import json
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

OUT = Path("test/golden/tokenizer")
DEMO = Path("resources/demo-model")

# Words beyond the demo stories, so that the trained tokenizers know some accents, digits and other scripts.
EXTRA = [
    "The café's naïve owner didn't say they'd re-open in 2024; we'll see, I'M sure.",
    "Größe, Übung, straße, señor, garçon, smørrebrød, żółć, Ελλάδα, Москва, 東京, 서울, שלום, مرحبا, हिन्दी",
    "def add(a, b):\n    return a + b\n\n\nprint(add(1, 22), 333, 4444, 55555)\t# ok",
    "emoji 😀 👍🏽 👩‍👩‍👧 flags 🇩🇪 keycap 1️⃣",
] * 8

STRINGS = [
    "",
    " ",
    "   ",
    "\n",
    "\n\n\n",
    "\t\ttabs\tinside\t",
    "a",
    "Apple Inc. is a worldwide tech company.",
    "Pip was a quiet deer. Pip lived by the bakery.",
    " leading space",
    "trailing space ",
    "two  spaces   three    four",
    "line one\nline two\r\nline three\r\rline four",
    "  \n  \n mixed \t \n whitespace  \n",
    "I'm, you're, he's, we'll, they'd, I've, can't",
    "I'M SHOUTING, YOU'RE NOT, HE'S 'S",
    "1 12 123 1234 12345 3.14159 1,000,000 0x1F",
    "snake_case camelCase kebab-case __init__",
    "!!! ??? ... --- ((( ))) [[ ]] {{ }} <> && || == != ->",
    "for (let i = 0; i < n; i++) { out[i] = w[i]; }",
    "https://example.org/path?query=1&other=two#part",
    "café naïve Größe straße señor",
    "cafe\u0301 nai\u0308ve",
    "Ελλάδα Москва żółć",
    "東京は日本の首都です。",
    "서울은 대한민국의 수도이다",
    "שלום עולם",
    "مرحبا بالعالم",
    "हिन्दी में लिखा",
    "😀",
    "👍🏽 👩‍👩‍👧 🇩🇪 1️⃣",
    "mixed 😀text😀 with emoji😀",
    "zero\u200bwidth\u200djoiner\ufeffbom",
    "non\u00a0breaking\u2003em space\u3000ideographic",
    "control \u0000 \u0001 \u007f characters",
    "astral 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈",
    "<s>",
    "a <s> in the middle and </s> at the end </s>",
    "<s></s><unk>",
    "< s > <S> <s <<s>> <|begin_of_text|>x<|end_of_text|>",
    "<0x41> <0x0A>",
    "▁ metaspace ▁▁ in text",
    "Ġ byte-level Ċ marks",
    "a" * 200,
    "ab " * 60,
    "\u00e9\u00e9\u00e9\u0301\u0301\u0301",
]


def corpus():
    with open(DEMO / "calibration.jsonl", encoding="utf-8") as lines:
        stories = [json.loads(line)["text"] for line in lines]
    return stories + EXTRA


def template(bos):
    return processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1", special_tokens=[(bos, 0 if bos == "<|begin_of_text|>" else 1)]
    )


def byte_level():
    """Llama-3's shape: a Split by pattern, ByteLevel BPE that keeps whole known words, BOS by template."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|begin_of_text|>", "<|end_of_text|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template("<|begin_of_text|>")])
    return tokenizer, {"bos_token": specials[0], "eos_token": specials[1], "tokenizer_class": "PreTrainedTokenizerFast"}


def metaspace_model():
    """BPE over words that begin with ▁, with the 256 bytes as a fallback for what it never saw."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=500, limit_alphabet=90, show_progress=False))
    learned = json.loads(trained.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += sorted(learned["vocab"], key=learned["vocab"].get)
    merges = [tuple(merge) for merge in learned["merges"]]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)


def metaspace(style):
    """Llama-2's shape (spaces by normalizer) or Mistral's newer one (spaces by pre-tokenizer)."""
    tokenizer = Tokenizer(metaspace_model())
    if style == "llama2":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = template("<s>")
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False}
    return tokenizer, {**config, "tokenizer_class": "LlamaTokenizerFast"}


def expectations(tokenizer):
    rows = []
    for text in STRINGS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append(
            {
                "text": text,
                "ids": ids,
                "decoded": tokenizer.decode(ids, skip_special_tokens=True),
                "decodedWithSpecials": tokenizer.decode(ids, skip_special_tokens=False),
            }
        )
    return rows


def write_tokenizer(folder, tokenizer, config):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def bos_cases():
    """What transformers puts in front of a text, for every way a checkpoint can ask for it."""
    cases = []
    for has_template in (True, False):
        for add_bos in (True, False, None):
            for name in ("PreTrainedTokenizerFast", "LlamaTokenizerFast"):
                tokenizer, config = metaspace("llama2")
                if not has_template:
                    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1", special_tokens=[])
                config = {key: value for key, value in config.items() if key != "add_bos_token"} | {"tokenizer_class": name}
                if add_bos is not None:
                    config["add_bos_token"] = add_bos
                with tempfile.TemporaryDirectory() as folder:
                    write_tokenizer(Path(folder), tokenizer, config)
                    ids = AutoTokenizer.from_pretrained(folder)("Pip was").input_ids
                cases.append({"template": has_template, "addBosToken": add_bos, "class": name, "bos": ids[0] if ids[0] == 1 else None})
    return cases


def main():
    golden = {"demo": expectations(Tokenizer.from_file(str(DEMO / "model" / "tokenizer.json")))}
    for name, (tokenizer, config) in {
        "byte-level": byte_level(),
        "metaspace-normalizer": metaspace("llama2"),
        "metaspace-pretokenizer": metaspace("mistral"),
    }.items():
        write_tokenizer(OUT / name, tokenizer, config)
        golden[name] = expectations(Tokenizer.from_file(str(OUT / name / "tokenizer.json")))
    (OUT / "golden.json").write_text(json.dumps(golden, indent=0, ensure_ascii=True) + "\n", encoding="utf-8")
    (OUT / "bos.json").write_text(json.dumps(bos_cases(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
