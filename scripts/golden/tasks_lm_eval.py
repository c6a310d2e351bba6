"""Golden figures of lm-evaluation-harness for made-up questions in each dataset's own columns, answered by two tiny random
Llamas (one whose tokenizer adds BOS, one whose does not) and by the demo model. The harness's own task definitions are used as
they are installed; only where the data comes from is changed.

usage: python scripts/golden/tasks_lm_eval.py        (needs lm_eval, datasets, pyarrow, torch, transformers, tokenizers)
writes test/golden/tasks/
"""

import hashlib
import json
import math
import os
import pathlib
import tempfile

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
os.environ["HF_HOME"] = tempfile.mkdtemp()

import lm_eval
import pyarrow
import pyarrow.parquet
import torch
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks._yaml_loader import load_yaml
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

import tasks_samples as samples

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "test" / "golden" / "tasks"
DEFINITIONS = pathlib.Path(lm_eval.__file__).parent / "tasks"
VOCABULARY = 384
POSITIONS = 128

# Keystone's own two formats, as tasks of the harness: texts as they are, nothing between them.
OWN_CHOICE = {
    "task": "own_choice", "output_type": "multiple_choice", "doc_to_text": "context", "doc_to_choice": "choices",
    "doc_to_target": "gold", "target_delimiter": "", "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in ("acc", "acc_norm")],
}  # fmt: skip
OWN_LAST_WORD = {
    "task": "own_last_word", "output_type": "loglikelihood", "doc_to_text": "context", "doc_to_target": "target", "target_delimiter": "",
    "metric_list": [
        {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
        {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
    ],
}  # fmt: skip
# MMLU's prompt without a sentence about the subject, for rows that name none.
PLAIN = {"description": ""}

# file → rows, the harness's definition, what is changed in it
TASKS = {
    "piqa.jsonl": (samples.PIQA, "piqa/piqa.yaml", {}),
    "arc-easy.parquet": (samples.ARC_EASY, "arc/arc_easy.yaml", {}),
    "arc-challenge.jsonl": (samples.ARC_CHALLENGE, "arc/arc_challenge.yaml", {}),
    "hellaswag.parquet": (samples.HELLASWAG, "hellaswag/hellaswag.yaml", {}),
    "lambada.jsonl": (samples.LAMBADA, "lambada/lambada_openai.yaml", {}),
    "winogrande.jsonl": (samples.WINOGRANDE, "winogrande/default.yaml", {}),
    "sciq.json": (samples.SCIQ, "sciq/sciq.yaml", {}),
    "mmlu.parquet": (samples.MMLU, "mmlu/default/mmlu_elementary_mathematics.yaml", {}),
    "mmlu-letters.jsonl": (samples.MMLU_LETTERS, "mmlu/default/mmlu_elementary_mathematics.yaml", PLAIN),
    "own-choice.jsonl": (samples.OWN_CHOICE, None, OWN_CHOICE),
    "own-last-word.jsonl": (samples.OWN_LAST_WORD, None, OWN_LAST_WORD),
}


def write_samples():
    folder = OUT / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (rows, _, _) in TASKS.items():
        path = folder / name
        if path.suffix == ".parquet":
            # two row groups, and no trace of the writer's schema, which would be most of the file
            table = pyarrow.Table.from_pylist(rows).replace_schema_metadata(None)
            pyarrow.parquet.write_table(table, path, row_group_size=4, store_schema=False, compression="snappy" if "arc" in name else "zstd")
        elif path.suffix == ".json":
            path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        else:
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def texts():
    for name, (rows, _, _) in TASKS.items():
        yield json.dumps(rows, ensure_ascii=False)
    yield "Question: Answer: The following are multiple choice questions (with answers) about A. B. C. D. \n\n\t" * 4


def tokenizer_with_bos():
    """As Llama's: words begin with a visible space, BOS comes first."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    made.decoder = decoders.Metaspace(prepend_scheme="first")
    made.train_from_iterator(texts(), trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<unk>", "<s>", "</s>"], max_token_length=8, show_progress=False))
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])
    return made, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def tokenizer_without_bos():
    """As GPT-2's: bytes, no BOS in front; a token that ends a text stands for an empty context."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(texts(), trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False))
    return made, {"eos_token": "<|endoftext|>"}


def write_model(name, tokenizer, special):
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=POSITIONS, tie_word_embeddings=True, initializer_range=0.4,
    )  # fmt: skip
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.half().contiguous() for k, v in LlamaForCausalLM(config).state_dict().items() if k != "lm_head.weight"}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    written = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": POSITIONS,
        "tie_word_embeddings": True, "hidden_act": "silu", "rms_norm_eps": config.rms_norm_eps, "rope_theta": 10000.0, "torch_dtype": "float16",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(written, indent=1) + "\n")
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | special, indent=1) + "\n")
    return folder


def task_of(name):
    _, definition, changes = TASKS[name]
    config = (load_yaml(DEFINITIONS / definition) if definition else {}) | changes
    split = config.get("test_split") or config.get("validation_split") or "test"
    for key in ("tag", "group", "training_split", "validation_split", "test_split", "fewshot_split", "fewshot_config"):
        config.pop(key, None)
    path = OUT / "samples" / name
    config |= {
        "test_split": split, "dataset_name": None, "dataset_path": "parquet" if path.suffix == ".parquet" else "json",
        "dataset_kwargs": {"data_files": {split: str(path)}},
    }  # fmt: skip
    return ConfigurableTask(config=config)


def written(golden):
    """JSON with one line an item."""
    lines = [f' "{model}": [\n' + ",\n".join(task_lines(task) for task in tasks) + "\n ]" for model, tasks in golden["models"].items()]
    return f'{{\n"lmEval": "{golden["lmEval"]}",\n"models": {{\n' + ",\n".join(lines) + "\n}\n}\n"


def task_lines(task):
    head = json.dumps({key: value for key, value in task.items() if key != "items"})[:-1]
    return f'  {head}, "items": [\n' + ",\n".join("   " + json.dumps(item) for item in task["items"]) + "]}"


def digest(pairs):
    return hashlib.sha256(json.dumps(pairs, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:16]


def figures(lm, name):
    task = task_of(name)
    found = lm_eval.simple_evaluate(model=lm, tasks=[task], num_fewshot=0, log_samples=True, bootstrap_iters=10)
    key = task.config.task
    results = {metric.split(",")[0]: value for metric, value in found["results"][key].items() if isinstance(value, float)}
    items = []
    for sample in sorted(found["samples"][key], key=lambda sample: sample["doc_id"]):
        pairs = [list(arguments) for arguments in sample["arguments"]]
        # a loglikelihood task has one (log-likelihood, greedy) pair where a multiple-choice task has a list of them
        answers = [response[0] for response in sample["resps"]]
        items.append({
            "prompts": digest(pairs),
            "logLikelihoods": [round(float(ll), 6) for ll, _ in answers],
            "greedy": [bool(greedy) for _, greedy in answers],
            "acc": sample["acc"],
        } | ({"accNorm": sample["acc_norm"]} if "acc_norm" in sample else {}))  # fmt: skip
    out = {"file": name, "task": key, "acc": results["acc"], "accStderr": results["acc_stderr"], "items": items}
    if "acc_norm" in results:
        out |= {"accNorm": results["acc_norm"], "accNormStderr": results["acc_norm_stderr"]}
    if "perplexity" in results:
        assert math.isfinite(results["perplexity"])
        out["perplexity"] = results["perplexity"]
    return out


if __name__ == "__main__":
    write_samples()
    folders = {
        "bos": write_model("bos", *tokenizer_with_bos()),
        "no-bos": write_model("no-bos", *tokenizer_without_bos()),
        "demo": ROOT / "resources" / "demo-model" / "model",
    }
    golden = {"lmEval": lm_eval.__version__, "models": {}}
    for model, folder in folders.items():
        lm = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=3)
        golden["models"][model] = [figures(lm, name) for name in TASKS]
    (OUT / "lm-eval.json").write_text(written(golden))
    for model, tasks in golden["models"].items():
        for task in tasks:
            print(model, task["file"], task["acc"], task.get("accNorm"), task.get("perplexity"), len(task["items"]))
    print(sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file()), "bytes")
