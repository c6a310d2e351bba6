"""Does transformers load an export, and does it see the weights that Keystone judged?

    python scripts/golden/checkExport.py SOURCE EXPORT

Holds both folders against each other with the safetensors library: same names, types and shapes, every value finite,
exactly as many tensors changed as keystone.json counts as quantized, restored weights bit for bit the source's. Then
transformers loads the export in its stored type: no key missing or left over, every tensor bit for bit the file's, and one
forward pass gives finite logits. Needs torch, transformers and safetensors; not part of npm test.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM


def stored(folder: Path) -> dict[str, torch.Tensor]:
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as shard:
            assert shard.metadata() == {"format": "pt"}, f"{file.name}: metadata {shard.metadata()}"
            tensors |= {name: shard.get_tensor(name) for name in shard.keys()}
    return tensors


def main(source_folder: Path, export_folder: Path) -> None:
    record = json.loads((export_folder / "keystone.json").read_text())
    source, export = stored(source_folder), stored(export_folder)
    assert source.keys() == export.keys(), "tensor names differ"

    changed = 0
    for name, original in source.items():
        copy = export[name]
        assert copy.dtype == original.dtype and copy.shape == original.shape, name
        assert torch.isfinite(copy.float()).all(), f"{name} is not finite"
        changed += not torch.equal(copy, original)
    assert changed == record["quantizedTensors"], f"{changed} tensors changed, {record['quantizedTensors']} were quantized"
    for weight in record["restored"]["weights"]:
        at = (weight["row"], weight["column"])
        assert export[weight["tensor"]][at] == source[weight["tensor"]][at], f"{weight} was not restored"

    model, info = AutoModelForCausalLM.from_pretrained(export_folder, dtype="auto", output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
    loaded = model.state_dict()
    for name, tensor in export.items():
        assert loaded[name].dtype == tensor.dtype and torch.equal(loaded[name], tensor), f"transformers sees another {name}"
    with torch.no_grad():
        logits = model.float()(torch.arange(1, 9)[None]).logits
    assert torch.isfinite(logits).all()
    print(f"{export_folder.name}: {len(export)} tensors equal in transformers, {changed} quantized, "
          f"{len(record['restored']['weights'])} restored exactly, {str(next(iter(export.values())).dtype)}, logits finite")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
