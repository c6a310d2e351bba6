import { modelName } from "#engine/checkpoint/modelName.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { diffCheckpoints } from "#engine/evaluate/diffCheckpoints.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { DiffReport } from "#shared/diff.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";

/** Two checkpoints, tensor by tensor; neither needs to be one that can be run. */
export async function diffTask({ a: first, b: second }: TaskFields<"diff">, talk: Talk): Promise<DiffReport> {
  const begin = performance.now();
  const a = await openCheckpoint(first);
  try {
    const b = await openCheckpoint(second);
    try {
      const found = await diffCheckpoints({ a, b, ...talk.watch });
      return { a: factsOf(a), b: factsOf(b), ...found, seconds: (performance.now() - begin) / 1000 };
    } finally {
      await b.close();
    }
  } finally {
    await a.close();
  }
}

function factsOf({ path, fingerprint, tensors }: Checkpoint): DiffReport["a"] {
  const parameters = [...tensors.values()].reduce((sum, tensor) => sum + tensor.parameters, 0);
  return { path, name: modelName(path), fingerprint, parameters, tensors: tensors.size };
}
