"""Writes test/golden/tokenizer/kinds.json: every kind of pre-tokenizer, normalizer, model and added token of tokenizer.json at work in
Hugging Face's Rust library, on texts of Unicode numbers, separators, marks and astral characters, and on the assigned characters.

Needs `tokenizers`. Run from the repository's root: python scripts/golden/tokenizer_kinds.py (takes a minute)
"""

import hashlib
import json
import random
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

OUT = Path("test/golden/tokenizer/kinds.json")

TEXTS = [
    "Add ½ cup of sugar and ¼ tsp salt, then stir ½ hour.",
    "He was born in ١٩٤٨ and died in ٢٠٠٤.",
    "Chapter Ⅷ begins in Paris.",
    "Nd 0٣४৭𝟙𝟘 Nl Ⅷⅻↂ〇𐅀 No ½²①㊿𐄇 mixed1½Ⅷ٣x",
    "Zs\u00a0a\u1680b\u2003c\u202fd\u205fe\u3000f Zl\u2028g Zp\u2029h",
    "Cc\u0000\u0007\t\u000b\u000c\r\n\u001c\u0085z Cf\u00ad\u200b\u200d\u2060\ufeff\u061cz",
    "Mn e\u0301\u0323 Mc क\u093f\u094d Me a\u20dd\u20e3 nukta \u0915\u093c ﬁ ﬀ Å ͏",
    "ΟΔΟΣ ΣΑΣ İstanbul ΌΣΟΣ, STRASSE ẞ ǅ ŉ",
    "I'ſ HE'S they'LL we're K Kelvin ſ long",
    "It's $5.00, (or: «4») – 'n' \u201cquotes\u201d… ¡¿ §¶ ~`|^+=<> \u166d \u061d \u2e52",
    "東京は日本。서울 \U00020000\U0002b820 豈 ｶﾞ ー ㍿ \u32ff",
    "𝔘𝔫𝔦 😀👍🏽👩\u200d👩 🇩🇪 1️⃣ \U0010fffd \ue000",
    "▁a▁▁b a▁ b\u2581 Ġx <0x0A> \ufffd",
    "  leading,  two\t\ttabs\n\n\nlines \r\n trailing  ",
    "snake_case camelCase-x a--b- a\u200cb\u200db \u203f\u2040",
    "",
    " ",
    "\u0301",
    "aaaaabaab abaXYb",
    "A\u0301e\u0301\u0302 Ａ①ﬁ\u3000😀so\u00adft \u0915\u093c\u0902 \r\n\r x",
]
CATEGORIES = ["Nd", "Nl", "No", "Zs", "Mn", "Mc", "Lu", "Ll", "Lo", "Lm", "Lt", "Po", "Sm", "Pc", "Pd", "Cf", "Sk", "So"]

ISOLATED = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FIRST = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
PRE_TOKENIZERS = [
    {"type": "BertPreTokenizer"},
    *[{"type": "ByteLevel", "add_prefix_space": a, "trim_offsets": True, "use_regex": b} for a, b in ((True, True), (False, False))],
    {"type": "CharDelimiterSplit", "delimiter": "-"},
    *[{"type": "Digits", "individual_digits": each} for each in (True, False)],
    {"type": "FixedLength", "length": 3},
    *[
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
        for scheme, split in (("always", True), ("always", False), ("first", True), ("never", True))
    ],
    *[{"type": "Punctuation", "behavior": behavior} for behavior in ISOLATED],
    *[
        {"type": "Split", "pattern": {"Regex": r"\p{N}|\s"}, "behavior": behavior, "invert": invert}
        for behavior in ISOLATED
        for invert in (False, True)
    ],
    {"type": "Split", "pattern": {"String": "a"}, "behavior": "Isolated", "invert": False},
    {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False},
    {"type": "Split", "pattern": {"Regex": r"\w+|[^\w\s]+"}, "behavior": "Removed", "invert": True},
    {"type": "Whitespace"},
    {"type": "WhitespaceSplit"},
    {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "WhitespaceSplit"},
            FIRST,
        ],
    },
    {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    },
]
BERT = {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
# SentencePiece 0.2.3's table of: A + U+0301 → Á, e + U+0301 → é, Ａ → A, ① → 1, ﬁ → fi, U+3000 → blank, 😀 → :), soft hyphen → nothing,
# क + nukta → क़, CR → LF, CR LF → LF.
CHARSMAP = (
    "AAQAAAAwAAANDQAAAQAAgAEAAIDMAAIAgQ0AAA8AAIDMPAIACi0AAIENAAASAACArRkAAKRcAgAAAACAlYQDAODsAgCk9AIAvA0AABUAAICRmAIABQAAgKAF"
    "AACABAIAgD0AAAMAAICBDQAADAAAgKEdAAAKAACAmAgCAJ9sAgCA+QAArOACAAcAAIAjAAAAIgAAACUAAAAkAAAAJwAAACYAAAApAAAAKAAAACsAAAAqAAAA"
    "LQAAACwAAAAvAAAALgAAALwoAgAwAAAAMwAAADIAAAA1AAAANAAAADcAAAA2AAAAOQAAADgAAAA7AAAAOgAAAD0AAAA8AAAAPwAAAD4AAABBAAAAQAAAAEMA"
    "AABCAAAARQAAAEQAAABHAAAARgAAAEkAAABIAAAASwAAAEoAAABNAAAAQRQCAE8AAABOAAAAUQAAAFAAAABTAAAAUgAAAFUAAABUAAAAVwAAAFYAAABZAAAA"
    "WAAAAFsAAABaAAAAXQAAAFwAAABfAAAAXgAAAGEAAABgAAAAYwAAAGIAAABlAAAAZAAAAGcAAABmAAAAaQAAAGWIAgBrAAAAagAAAG0AAABsAAAAbwAAAG4A"
    "AABxAAAAcAAAAHMAAAByAAAAdQAAAHQAAAB3AAAAdgAAAHkAAAB4AAAAewAAAHoAAAB9AAAAfAAAAH8AAAB+AAAAgQAAAIAAAACDAAAAggAAAIUAAACEAAAA"
    "hwAAAIYAAACJAAAAiAAAAIsAAACKAAAAjQAAAIwAAACPAAAAjgAAAJEAAACQAAAAkwAAAJIAAACVAAAAlAAAAJcAAACWAAAAmQAAAJgAAACbAAAAmgAAAJ0A"
    "AACcAAAAnwAAAJ4AAAChAAAAoAAAAKMAAACiAAAApQAAAKQAAACnAAAApgAAAKkAAACoAAAAqwAAAKoAAACtAAAArAAAAK8AAACuAAAAsQAAALAAAACzAAAA"
    "sgAAALUAAAC0AAAAtwAAALYAAAC5AAAAuAAAALsAAAC6AAAAvQAAALwAAAC/AAAAvgAAAMEAAADAAAAAwwAAAMIAAADFAAAAxAAAAMcAAADGAAAAyQAAAMgA"
    "AADLAAAAygAAAM0AAADMAAAAwqABAM4AAADRAAAA0AAAANMAAADSAAAA1QAAANQAAADXAAAA1gAAANkAAADYAAAA2wAAANoAAADdAAAA3AAAAN8AAADeAAAA"
    "4QAAAOAAAADjAAAA77wBAOUAAADkAAAA5wAAAOYAAADpAAAA6AAAAOsAAADqAAAA4BABAOwAAADisAEA4+QBAPEAAADwAAAA8wAAAPIAAAD1AAAA9AAAAPcA"
    "AAD2AAAA+QAAAPgAAAD7AAAA+gAAAPD0AQD8AAAA/wAAAP4AAAAACgAgADEAOikAQQBmaQDDgQDDqQDgpZgA"
)
NORMALIZERS = [
    {**BERT, "clean_text": True},
    {**BERT, "handle_chinese_chars": True},
    {**BERT, "strip_accents": True},
    {**BERT, "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    *[{"type": name} for name in ("ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "StripAccents")],
    {"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "$&▁"},
    {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": "$1"},
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]},
]

VOCABULARY = {text: id for id, text in enumerate(["<unk>", "a", "b", "aa", "ab", "aab", " ", "X", "<0x59>", "½", "e", "▁", "▁a"])}
MERGES = [["a", "a"], ["a", "b"], ["aa", "b"], ["▁", "a"]]
BYTES = {f"<0x{byte:02X}>": 100 + byte for byte in range(256) if byte != 0x59}
PIECES = [["<unk>", 0.0], ["a", -1.5], ["b", -2.0], ["ab", -2.25], ["aa", -2.5], ["▁", -3.0], ["e", -4.0]]
MODELS = [
    {"type": "BPE", "vocab": VOCABULARY, "merges": MERGES},
    *[
        {"type": "BPE", "vocab": VOCABULARY, "merges": MERGES, "unk_token": "<unk>", "fuse_unk": fuse, "byte_fallback": bytes}
        for fuse in (False, True)
        for bytes in (False, True)
    ],
    {"type": "BPE", "vocab": VOCABULARY | BYTES, "merges": MERGES, "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True},
    {"type": "BPE", "vocab": VOCABULARY | {"abaXYb": 500}, "merges": MERGES, "ignore_merges": True},
    {
        "type": "BPE",
        "vocab": {"a": 0, "##a": 1, "##b": 2, "##b</w>": 3, "a##b": 4, "ab</w>": 5, "ab": 6, "aab</w>": 7, "b": 8},
        "merges": [["a", "##b</w>"], ["a", "##b"]],
        "continuing_subword_prefix": "##",
        "end_of_word_suffix": "</w>",
    },
    {
        "type": "WordPiece",
        "vocab": {"[UNK]": 0, "a": 1, "##a": 2, "##b": 3, "aa": 4, "##ab": 5, "½": 6},
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 8,
    },
    {"type": "Unigram", "vocab": PIECES, "unk_id": 0},
    {"type": "Unigram", "vocab": PIECES + [[f"<0x{byte:02X}>", -9.0] for byte in range(256)], "unk_id": 0, "byte_fallback": True},
]
MODEL_TEXTS = ["abaXYb", "aaaaabaab", "aXYXYYb", "a½½éb", " a  aab ", "▁aab▁a😀b", "eeeab", "", "ab" * 60 + "XY" + "ba" * 60, "Y"]


def flags(content, id, **others):
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {"id": id, "content": content, **plain, **others}


FREE = len(VOCABULARY)
ADDED = [
    flags("<x>", FREE + 0, special=True),
    flags("<x>y", FREE + 1),
    flags("<l>", FREE + 2, lstrip=True),
    flags("<r>", FREE + 3, rstrip=True, special=True),
    flags("<lr>", FREE + 4, lstrip=True, rstrip=True),
    flags("Word", FREE + 5, single_word=True),
    flags("É", FREE + 6, normalized=True),
    flags("  ", FREE + 7),
    flags("½½", FREE + 8, single_word=True, lstrip=True),
]
ADDED_TEXTS = [
    "a<x>b<x>yb",
    "a  <l>\u00a0\u3000 <r> \u0085\u2028b<lr> a",
    "Word Words aWord Word. Word_ Word\u0301 éWord Word½ \U0001d7d9Word Word\u200d (Word)",
    "É é e\u0301 É",
    "a   b    c",
    "½½ a ½½½½ ½½",
    "<x><x> <l><r> <r><l>",
    "  <l>",
]


def tokenizer(model=None, added=(), normalizer=None, pre_tokenizer=None):
    model = model or {"type": "BPE", "vocab": {}, "merges": []}
    definition = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added), "normalizer": normalizer}
    return definition | {"pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": None, "model": model}


def build(definition):
    return Tokenizer.from_str(json.dumps(definition))


ALIKE = ("CJK UNIFIED IDEOGRAPH", "HANGUL SYLLABLE", "TANGUT IDEOGRAPH", "KHITAN SMALL SCRIPT", "NUSHU CHARACTER")


def assigned():
    """Characters that this Python's Unicode knows: the newest ones are new to some of the Rust library's tables, too. Of large
    scripts whose characters are all treated alike every 61st."""
    known = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    return [c for c in known if c % 61 == 0 or not unicodedata.name(chr(c), "").startswith(ALIKE)]


def as_ranges(numbers):
    ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def random_texts(characters):
    """Characters of every category side by side, seeded."""
    by_category = {name: [c for c in characters if unicodedata.category(chr(c)) == name] for name in CATEGORIES}
    generator = random.Random(7)
    draw = lambda: chr(generator.choice(by_category[generator.choice(CATEGORIES)]))  # noqa: E731
    return ["".join(generator.choice([draw, draw, lambda: generator.choice(" a1.'\n")])() for _ in range(14)) for _ in range(12)]


def digest(parts):
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def main():
    characters = assigned()
    texts = TEXTS + random_texts(characters)
    golden = {"unicode": unicodedata.unidata_version, "assigned": as_ranges(characters), "texts": texts}
    golden["preTokenizers"] = []
    for config in PRE_TOKENIZERS:
        cutter = build(tokenizer(pre_tokenizer=config)).pre_tokenizer
        cut = lambda text: [piece for piece, _ in cutter.pre_tokenize_str(text)]  # noqa: B023, E731
        # one character between two letters
        every = digest("\x1f".join(cut(f"a{chr(c)}b")) for c in characters)
        golden["preTokenizers"].append({"config": config, "words": [cut(text) for text in texts], "every": every})
    golden["normalizers"] = []
    for config in NORMALIZERS:
        normalizer = build(tokenizer(normalizer=config)).normalizer
        every = digest(normalizer.normalize_str(f"a{chr(c)}") for c in characters)
        written = [normalizer.normalize_str(text) for text in texts]
        golden["normalizers"].append({"config": config, "written": written, "every": every})
    golden["models"] = [
        {"model": model, "rows": [[text, build(tokenizer(model)).encode(text).ids] for text in MODEL_TEXTS]} for model in MODELS
    ]
    definition = tokenizer(MODELS[1], ADDED, {"type": "NFC"}, FIRST)
    added = build(definition)
    golden["added"] = {"definition": definition, "rows": [[text, added.encode(text).ids] for text in ADDED_TEXTS]}
    OUT.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
