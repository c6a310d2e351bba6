import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { DeviceReport } from "#shared/device.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { TextInfo } from "#shared/estimate.ts";
import type { ScanReport } from "#shared/scan.ts";
import type { TensorStatistics } from "#shared/model.ts";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { asMatrix, tensorStatistics } from "#engine/checkpoint/tensorStatistics.ts";
import { chooseDevice } from "#engine/forward/chooseDevice.ts";
import { scanWeights } from "#engine/superweight/evidence/scanWeights.ts";
import type { TaskFields } from "../protocol/task.ts";

/** Which execution provider would be used, and why not the others. */
export async function probeTask({ device, threads }: TaskFields<"probe">): Promise<DeviceReport> {
  return chooseDevice({ device, threads });
}

/** @throws KeystoneError checkpoint/no-such-tensor */
export async function statisticsTask({ path, name }: TaskFields<"statistics">): Promise<TensorStatistics> {
  const checkpoint = await openCheckpoint(path);
  try {
    const tensor = checkpoint.tensors.get(name);
    if (!tensor)
      throw new KeystoneError(
        "checkpoint/no-such-tensor",
        `The checkpoint has no tensor "${name}".`,
        "Choose one of its tensors.",
        { name },
      );
    const { rows, columns } = asMatrix(tensor);
    return tensorStatistics(name, await checkpoint.read(name), rows, columns);
  } finally {
    await checkpoint.close();
  }
}

/** A text's documents and tokens. */
export async function describeTask({ model, path }: TaskFields<"describe">): Promise<TextInfo> {
  const documents = await readDocuments(path);
  const tokenizer = await loadTokenizer(model);
  const tokens = documents.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
  return { path, name: basename(path), bytes: (await stat(path)).size, documents: documents.length, tokens };
}

/** A preview of super weights from the weights alone. @throws KeystoneError scan/no-mlp */
export async function scanTask({ path }: TaskFields<"scan">): Promise<ScanReport> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await scanWeights(checkpoint);
  } finally {
    await checkpoint.close();
  }
}
