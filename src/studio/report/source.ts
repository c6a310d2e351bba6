import { arch, cpus, release, totalmem, type as systemType } from "node:os";
import { DEFAULT_DETECTION } from "../context/launch.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { DetectReport } from "#shared/detection.ts";
import type { LabResult } from "#shared/lab/index.ts";
import type { ModelSummary } from "#shared/model.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { RunDetail } from "#shared/run.ts";
import type { StudioContext } from "../context/context.ts";
import { summarizeModel } from "../context/summarizeModel.ts";
import { runtimeVersion } from "../context/versions.ts";

/** A model that runs or experiments of the report are about. */
export interface ReportModel {
  readonly fingerprint: string;
  readonly path: string;
  readonly name: string;
  /** The checkpoint as it lies there now, or why it cannot be described. */
  readonly summary: ModelSummary | null;
  readonly absent: string | null;
  /** The search with its evidence and effects, where one is kept. */
  readonly detection: DetectReport | null;
  readonly superWeights: readonly Coordinate[];
  /** Keystone's own demo model, whose super weight is deliberate. */
  readonly isDemo: boolean;
}

export interface Environment {
  readonly keystone: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
}

/** All a report is written from. */
export interface ReportSource {
  readonly title: string | null;
  readonly made: Date;
  readonly environment: Environment;
  readonly models: readonly ReportModel[];
  readonly runs: readonly { readonly fingerprint: string; readonly detail: RunDetail }[];
  readonly lab: readonly LabResult[];
}

/**
 * Gathers what the report is about, in the order asked for.
 * @throws KeystoneError run/unknown, lab/unknown, lab/other-version
 */
export async function gatherSource(
  context: StudioContext,
  asked: { runs: readonly string[]; lab: readonly string[]; title?: string | undefined },
): Promise<ReportSource> {
  const runs = [...new Set(asked.runs)].map((id) => ({
    fingerprint: context.runs.row(id).fingerprint,
    detail: context.runs.detail(id),
  }));
  const lab = [...new Set(asked.lab)].map((id) => context.lab.get(id));
  return {
    title: asked.title?.trim() || null,
    made: new Date(),
    environment: environment(context.options.version ?? "0.0.0"),
    models: await gatherModels(context, runs, lab),
    runs,
    lab,
  };
}

function environment(keystone: string): Environment {
  const processors = cpus();
  return {
    keystone,
    node: process.versions.node,
    onnxruntime: runtimeVersion(),
    system: `${systemType()} ${release()} (${arch()})`,
    processor: processors[0]?.model.trim() || "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
  };
}

async function gatherModels(
  context: StudioContext,
  runs: ReportSource["runs"],
  lab: readonly LabResult[],
): Promise<ReportModel[]> {
  const demo = await demoFingerprint(context);
  const named = [
    ...runs.map(({ fingerprint, detail }) => ({
      fingerprint,
      path: detail.summary.model,
      name: detail.summary.modelName,
      superWeights: detail.superWeights,
    })),
    ...lab.map(({ report }) => ({ ...report, path: report.model, name: report.modelName })),
  ];
  const distinct = named.filter(
    ({ fingerprint }, i) => named.findIndex((other) => other.fingerprint === fingerprint) === i,
  );
  return Promise.all(
    distinct.map(async ({ fingerprint, path, name }) => {
      const place = path || pathOf(context, fingerprint);
      const described = await describeModel(context, place, fingerprint);
      return {
        fingerprint,
        path: place,
        name: described.summary?.name ?? name,
        ...described,
        detection:
          described.summary === null
            ? null
            : context.kept.detection(described.summary.revision, DEFAULT_DETECTION),
        superWeights:
          named.find((other) => other.fingerprint === fingerprint && other.superWeights.length > 0)
            ?.superWeights ?? [],
        isDemo: fingerprint === demo,
      };
    }),
  );
}

/** Where the model of an imported run lies here; empty where no such model was opened. */
function pathOf({ kept }: StudioContext, fingerprint: string): string {
  return kept.models().find((model) => model.fingerprint === fingerprint)?.path ?? "";
}

/** What lies in the folder now, if it is still what was judged. */
async function describeModel(
  context: StudioContext,
  path: string,
  fingerprint: string,
): Promise<Pick<ReportModel, "summary" | "absent">> {
  if (path === "")
    return { summary: null, absent: "The run was imported, and its model was not opened on this computer." };
  try {
    const summary = await summarizeModel(context.access.check(path));
    if (summary.fingerprint === fingerprint) return { summary, absent: null };
    return { summary: null, absent: "The folder holds another checkpoint now than the one that was judged." };
  } catch (error) {
    if (!(error instanceof KeystoneError)) throw error;
    return {
      summary: null,
      absent: `The folder could not be opened when this report was made: ${error.message}`,
    };
  }
}

async function demoFingerprint({ options }: StudioContext): Promise<string | null> {
  if (!options.demoModel) return null;
  try {
    return (await summarizeModel(options.demoModel)).fingerprint;
  } catch (error) {
    if (error instanceof KeystoneError) return null;
    throw error;
  }
}
