"""Tokenizers in the files of before tokenizer.json, and what their own libraries make of texts.

    python scripts/golden/tokenizer_older.py

Needs sentencepiece, tokenizers and transformers; run from the repository's root. Writes a folder for each under
test/golden/tokenizer/older/: tokenizer.model (trained here by SentencePiece, on the texts below and a passage of the shipped one), or vocab.json and merges.txt (of
byte-level BPE), what stands beside them, and golden.json: ids of texts of Unicode numbers, separators, marks, emoji and runs of blanks, by
sentencepiece itself or by transformers' classes.
"""

import json
import shutil
import sys
from pathlib import Path

import sentencepiece
import tokenizers
import transformers

sys.path.insert(0, str(Path(__file__).parent))
from tokenizer_kinds import TEXTS  # noqa: E402

OUT = Path("test/golden/tokenizer/older")
CORPUS = Path("resources/demo-model/eval.jsonl")
MORE = [
    "Hello world, this is a test.",
    "   leading and trailing   ",
    "tabs\tand\nnew lines\r\n  indented\n\n\n    more",
    "½ ¼ Ⅷ ٣ १२३ ① ² 𝟙 ㊿",
    "naïve café e\u0301e\u0301 Å ﬁne ﬂow",
    "😀 👍🏽 👩\u200d👩 🇩🇪 1️⃣",
    "東京は日本の首都です。 서울",
    "aaaa bbbb abababab 0123456789",
    "I'm we're they'll DON'T",
    "before<mask>after <mask> again<sep>",
]
# a few rules instead of the table of all of NFKC, which takes 240 kB
RULES = [("½", "1/2"), ("ﬁ", "fi"), ("\u00a0", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("Ａ", "A"), ("①", "1"), ("e\u0301", "é"), ("\u200b", "")]

SENTENCEPIECE = {
    "bpe-bytes": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False},
    "bpe-plain": {"model_type": "bpe", "normalization_rule_name": "identity"},
    "bpe-symbols": {
        "model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
        "add_dummy_prefix": False, "user_defined_symbols": ["<mask>", "<sep>", "▁▁"],
    },
    "unigram-rules": {"model_type": "unigram"},
    "unigram-bytes": {
        "model_type": "unigram", "byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
    },
    "unigram-symbols": {
        "model_type": "unigram", "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
        "user_defined_symbols": ["<mask>", "<sep>"],
    },
}


def corpus():
    lines = [json.loads(line)["text"] for line in CORPUS.read_text().splitlines()[:60]]
    return [*lines, *TEXTS, *MORE] * 2


# what tokenizer.json has no way to say: a text that spells the token of a byte becomes it in the Rust library's Unigram; where symbols of
# the user's own stand beside a blank in front of every text, a text that begins with a blank gets no second one
NOT_HELD = {"unigram-bytes": lambda text: "<0x" in text, "unigram-symbols": lambda text: text[:1] in (" ", "▁")}


def texts(name):
    left_out = NOT_HELD.get(name, lambda _: False)
    return [text for text in [*TEXTS, *MORE] if not left_out(text)]


def write(folder, encode, versions, **more):
    golden = {"versions": versions, "cases": [[text, encode(text)] for text in texts(folder.name)], **more}
    (folder / "golden.json").write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")


def sentence_piece(name, settings):
    folder = OUT / name
    folder.mkdir(parents=True)
    rules = {}
    if name == "unigram-rules":
        table = folder / "rules.tsv"
        table.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{' '.join(f'{ord(c):X}' for c in b)}\n" for a, b in RULES))
        rules = {"normalization_rule_tsv": str(table)}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for text in corpus() for line in text.replace("\0", "").split("\n") if line.strip()),
        model_prefix=str(folder / "tokenizer"), vocab_size=620 if settings.get("byte_fallback") else 420,
        character_coverage=0.98, hard_vocab_limit=False, minloglevel=2, **settings, **rules,
    )
    (folder / "tokenizer.vocab").unlink()
    (folder / "rules.tsv").unlink(missing_ok=True)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    write(folder, processor.encode, {"sentencepiece": sentencepiece.__version__})


def byte_pairs(name, config, cls):
    folder = OUT / name
    folder.mkdir(parents=True)
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train_from_iterator(corpus(), vocab_size=420, special_tokens=["<|endoftext|>"], show_progress=False)
    trained.save_model(str(folder))
    (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
    made = cls.from_pretrained(folder)
    write(
        folder, lambda text: made.encode(text, add_special_tokens=False),
        {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
        decoded=[made.decode(made.encode(text, add_special_tokens=False)) for text in texts(name)],
    )


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for name, settings in SENTENCEPIECE.items():
        sentence_piece(name, settings)
    byte_pairs("gpt2", {"tokenizer_class": "GPT2Tokenizer"}, transformers.GPT2Tokenizer)
    byte_pairs("gpt2-prefix", {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}, transformers.GPT2Tokenizer)
    byte_pairs("qwen2", {"tokenizer_class": "Qwen2Tokenizer"}, transformers.Qwen2Tokenizer)


main()
