"""lm-evaluation-harness's own wikitext task on a text of WikiText, and GPTQ's published loop, in transformers.

usage: python lm_eval_wikitext.py < JOB        (needs lm_eval, torch, transformers, datasets)

JOB is JSON: {"model": folder, "text": path, "context", "begin", "end"} and "task":
  "wikitext"  articles [begin, end) in the harness; the answer: {"articles": how many there are, "nll": nats, "words", "bytes"}
  "gptq"      windows [begin, end) of the rows joined by blank lines; the answer: {"windows": how many there are, "nll": nats, "scored"}
"""

import json
import math
import os
import pathlib
import re
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
import lm_eval  # noqa: E402
import torch  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

TASK = """include: {wikitext}
task: wikitext_here
dataset_path: json
dataset_name: null
dataset_kwargs:
  data_files: {{test: {data}}}
training_split: null
validation_split: null
test_split: test
"""


def articles(text):
    """Pages as the data set of the task has them: a line `= Title =` begins one, headings of sections do not."""
    pages = [[]]
    for line in text.split("\n"):
        heading = line.replace("= = =", "===").replace("= =", "==").strip()
        if re.fullmatch(r"= (.* )?=", heading):
            pages.append([])
        pages[-1].append(line)
    return [page for page in map("\n".join, pages) if page.strip()]


def harness(job, pages):
    """The task's own detokenizer, prompts, windows and metrics, on some pages."""
    wikitext = pathlib.Path(lm_eval.__file__).parent / "tasks" / "wikitext" / "wikitext.yaml"
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "pages.json"
        data.write_text(json.dumps([{"page": page} for page in pages]))
        (pathlib.Path(folder) / "here.yaml").write_text(TASK.format(wikitext=wikitext, data=data))
        model = HFLM(pretrained=job["model"], device="cpu", dtype="float32", max_length=job["context"], batch_size=1)
        manager = TaskManager(include_path=folder, include_defaults=False)
        found = lm_eval.simple_evaluate(model, tasks=["wikitext_here"], task_manager=manager, bootstrap_iters=0)
    results = found["results"]["wikitext_here"]
    words = sum(len(re.split(r"\s+", page)) for page in pages)
    size = sum(len(page.encode()) for page in pages)
    nll = math.log(results["word_perplexity,none"]) * words
    assert abs(math.log(results["byte_perplexity,none"]) * size / nll - 1) < 1e-9
    return {"nll": nll, "words": words, "bytes": size}


def gptq(job, text):
    rows = [line + "\n" if line.strip() else "" for line in text.split("\n")[:-1]]
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    ids = tokenizer("\n\n".join(rows), return_tensors="pt").input_ids
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32).eval()
    length, total = job["context"], 0.0
    count = ids.numel() // length
    with torch.no_grad():
        for i in range(job["begin"], min(job["end"], count)):
            window = ids[:, i * length : (i + 1) * length]
            logits = model(window).logits[:, :-1]
            total += torch.nn.functional.cross_entropy(logits[0], window[0, 1:], reduction="sum").item()
    scored = (min(job["end"], count) - job["begin"]) * (length - 1)
    return {"windows": count, "nll": total, "scored": scored}


def main():
    job = json.load(sys.stdin)
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    answer, sys.stdout = sys.stdout, sys.stderr  # the harness prints
    text = pathlib.Path(job["text"]).read_bytes().decode()
    if job["task"] == "gptq":
        found = gptq(job, text)
    else:
        pages = articles(text)
        found = {"articles": len(pages)} | harness(job, pages[job["begin"] : job["end"]])
    json.dump(found, answer)


main()
