"""What AutoAWQ makes of exported folders; called by index.ts.

usage: python scripts/peers/autoawq/autoawq_peer.py < jobs.json

A job: folder (the export), windows (token ids), logits (file to write: little-endian f32, window after window). The answer on
stdout: versions, and what each model was computed in. AutoAWQ has kernels for accelerators, and on a CPU wants Intel's extension;
here its modules take their own last resort, which unpacks and multiplies in PyTorch. It computes in float16 whatever the folder.
"""

import importlib.metadata
import json
import sys
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
PACKAGES = ("autoawq", "transformers", "torch")


@torch.no_grad()
def run(job, auto):
    model = auto.from_quantized(job["folder"], fuse_layers=False, device_map={"": "cpu"}).model.eval()
    with open(job["logits"], "wb") as out:
        for ids in job["windows"]:
            logits = model(torch.tensor([ids]), use_cache=False).logits[0].to(torch.float32)
            out.write(np.ascontiguousarray(logits.numpy(), dtype="<f4").tobytes())
    return str(model.dtype).removeprefix("torch.")


def main():
    jobs = json.load(sys.stdin)
    # the library's banners belong elsewhere than the answer
    answer, sys.stdout = sys.stdout, sys.stderr
    from awq import AutoAWQForCausalLM
    from awq.models import base
    from awq.modules.linear import gemm

    base.get_best_device = lambda: "cpu, without an extension"
    gemm.TRITON_AVAILABLE = False
    dtypes = [run(job, AutoAWQForCausalLM) for job in jobs]
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    json.dump({"versions": versions, "dtypes": dtypes}, answer)


if __name__ == "__main__":
    main()
