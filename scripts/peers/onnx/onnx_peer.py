"""What onnx, onnxruntime and onnxruntime-genai make of exported decoders; called by index.ts.

usage: python scripts/peers/onnx/onnx_peer.py < job.json

The job: folder, windows (token ids), prompt, tokens (to generate), logits (file to write: little-endian f32, window after
window). The answer on stdout: versions, and the ids that onnxruntime-genai generates greedily.
"""

import importlib.metadata
import json
import sys

import numpy as np
import onnx
import onnxruntime
import onnxruntime_genai


def logits(session, ids):
    feeds = {
        "input_ids": np.array([ids], np.int64),
        "attention_mask": np.ones((1, len(ids)), np.int64),
        "position_ids": np.arange(len(ids), dtype=np.int64)[None],
    }
    for entry in session.get_inputs():
        if entry.name not in feeds:
            feeds[entry.name] = np.zeros((1, entry.shape[1], 0, entry.shape[3]), np.float32)
    return session.run(["logits"], feeds)[0][0]


def generate(folder, prompt, tokens):
    model = onnxruntime_genai.Model(folder)
    params = onnxruntime_genai.GeneratorParams(model)
    params.set_search_options(max_length=len(prompt) + tokens, do_sample=False)
    generator = onnxruntime_genai.Generator(model, params)
    generator.append_tokens(prompt)
    while not generator.is_done():
        generator.generate_next_token()
    return [int(i) for i in generator.get_sequence(0)][len(prompt):]


def main():
    job = json.load(sys.stdin)
    path = f"{job['folder']}/model.onnx"
    onnx.checker.check_model(path, full_check=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with open(job["logits"], "wb") as out:
        for ids in job["windows"]:
            out.write(np.ascontiguousarray(logits(session, ids), dtype="<f4").tobytes())
    packages = ("onnx", "onnxruntime", "onnxruntime-genai")
    json.dump(
        {
            "versions": {name: importlib.metadata.version(name) for name in packages},
            "generated": generate(job["folder"], job["prompt"], job["tokens"]),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
