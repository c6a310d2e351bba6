import { basename } from "node:path";
import type { Convention } from "#shared/evaluation.ts";
import { readDocuments } from "../checkpoint/readDocuments.ts";
import type { WindowSet } from "../evaluate/types.ts";
import { cutWindows } from "../evaluate/windows.ts";
import type { LabRun } from "./types.ts";

/** What stands in every report of a run, less what it found out. */
export function labFacts(run: LabRun, convention: Convention, begin: number) {
  const { checkpoint, superWeights, forward, request } = run;
  return {
    model: checkpoint.path,
    modelName: basename(checkpoint.path),
    fingerprint: checkpoint.fingerprint,
    text: request.text,
    calibration: request.calibration,
    convention,
    superWeights: superWeights.map((coordinate) => [...coordinate] as [number, number, number]),
    device: forward.device.used,
    seconds: (performance.now() - begin) / 1000,
  };
}

/** The judged text as the model sees it. @throws KeystoneError text/…, usage/… */
export async function windowsOf(run: LabRun, text: string): Promise<WindowSet> {
  const documents = await readDocuments(text);
  return cutWindows(documents, run.tokenizer, run.request.judge, run.architecture.facts.contextLength);
}
