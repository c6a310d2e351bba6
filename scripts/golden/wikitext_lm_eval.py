"""Golden figures of lm-evaluation-harness's wikitext task: its detokenizer, and its rolling log-likelihoods of made-up articles by
two tiny random Llamas, one whose tokenizer adds BOS. Run twice: as it is, which puts BOS twice, and told not to add BOS itself.

usage: python scripts/golden/wikitext_lm_eval.py        (needs lm_eval, torch, transformers)
writes test/golden/evaluate/wikitext.json
"""

import json
import os
import pathlib

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import lm_eval
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks.wikitext.preprocess_wikitext import process_results, wikitext_detokenizer

GOLDEN = pathlib.Path(__file__).parents[2] / "test" / "golden"
OUT = GOLDEN / "evaluate" / "wikitext.json"
CONTEXT = 32

PAGES = [
    ' = The Crow of Quill = \n \n The crow ( Corvus quilli ) is a bird , 1 @,@ 200 years old ; it said " caw , caw " . \n \n'
    " = = Voice = = \n \n It 's a well @-@ known voice : ' low ' , at 3 @.@ 5 kHz and 20 ° C . Is it ? Yes ! \n \n = = = Range = = = \n"
    " \n N birds [ two ] sang { here } the crows ' song . \n ",
    " = Owl = \n \n It hoots . \n",
    ' = Odd = \n \n An " open quote , ( an open bracket and a no-break\u00a0space ( \u00a0inside ) . /\' 5/ \n = = = = Deep = = = = \n',
]
TEXTS = [*map(lambda page: wikitext_detokenizer({"page": page}), PAGES), "<s>Once there was a crow.", "a"]


def total(model, text):
    (found,) = model.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (text,), 0)], disable_tqdm=True)
    return -found


def nll(name, **options):
    model = HFLM(pretrained=str(GOLDEN / "tasks" / name), device="cpu", dtype="float32", max_length=CONTEXT, **options)
    return [total(model, text) for text in TEXTS]


if __name__ == "__main__":
    counted = [process_results({"page": page}, (0.0,)) for page in PAGES]
    golden = {
        "lmEval": lm_eval.__version__,
        "pages": PAGES,
        "detokenized": TEXTS[: len(PAGES)],
        "words": [found["word_perplexity"][1] for found in counted],
        "bytes": [found["byte_perplexity"][1] for found in counted],
        "context": CONTEXT,
        "texts": TEXTS,
        "nll": {name: {"lm-eval": nll(name), "rolling": nll(name, add_bos_token=False)} for name in ("bos", "no-bos")},
    }
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
    print(golden["nll"], OUT.stat().st_size, "bytes")
