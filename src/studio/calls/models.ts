import { existsSync } from "node:fs";
import type { ModelSummary } from "#shared/model.ts";
import { createControl } from "#worker/protocol/control.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { findModels } from "../models/findModels.ts";
import { modelCaches } from "../models/modelCaches.ts";
import { soloThreads } from "../models/sizing.ts";
import { variantSizes } from "../context/variantSizes.ts";
import { summarizeModel } from "../context/summarizeModel.ts";

type ModelCall =
  | "model:open"
  | "model:recent"
  | "model:found"
  | "model:forget"
  | "model:detection"
  | "model:sizes"
  | "model:scan"
  | "model:try"
  | "tensor:statistics";

/** Checkpoints: opening one reads its headers and little more, so nothing here waits behind a job. */
export function modelCalls(context: StudioContext): Answers<ModelCall> {
  const { access, kept, events, options } = context;
  /** What was found and listed: the only paths that naming one is enough to open. */
  const found = new Set<string>();
  return {
    "model:open": async ({ path }) => {
      if (found.has(path)) options.grant?.(path);
      const summary = await summarizeModel(access.check(path));
      kept.saveModel({
        path: summary.path,
        name: summary.name,
        opened: new Date().toISOString(),
        revision: summary.revision,
        fingerprint: summary.fingerprint,
        parameters: summary.parameters,
        dtype: mainType(summary),
      });
      events.emit({ type: "recent-models" });
      return summary;
    },
    "model:recent": () =>
      kept.models().map(({ path, name, opened, parameters, dtype, revision, fingerprint }) => ({
        path,
        name,
        opened,
        fingerprint,
        parameters,
        dtype,
        superWeights: kept.latestDetection(revision)?.superWeights.length ?? null,
        missing: !existsSync(path),
      })),
    "model:found": async () => {
      const models = await findModels(options.caches ?? modelCaches());
      const open = models.filter(({ path }) => options.grant !== undefined || access.allows(path));
      for (const { path } of open) found.add(path);
      return open;
    },
    "model:forget": ({ path }) => {
      kept.forgetModel(path);
      events.emit({ type: "recent-models" });
      return {};
    },
    "model:detection": async ({ path }) => {
      const { revision, path: folder } = await summarizeModel(access.check(path));
      const report = kept.latestDetection(revision);
      return report && { ...report, model: folder };
    },
    "model:scan": ({ path }) =>
      context.interactivePool.run("scan", { path: access.check(path) }, { control: createControl() }),
    "model:try": ({ path, family, text }) =>
      context.interactivePool.run(
        "try",
        {
          ...{ path: access.check(path), family, text: text === undefined ? null : access.check(text) },
          threads: soloThreads(context.machine(), context.settings()),
        },
        { control: createControl() },
      ),
    "model:sizes": ({ path, recipes }) => variantSizes(access.check(path), recipes, kept),
    "tensor:statistics": ({ path, name }) =>
      context.interactivePool.run(
        "statistics",
        { path: access.check(path), name },
        { control: createControl() },
      ),
  };
}

/** The storage type most weights have. */
function mainType({ dtypes }: ModelSummary): string {
  return Object.entries(dtypes).sort(([, a], [, b]) => b - a)[0]?.[0] ?? "unknown";
}
