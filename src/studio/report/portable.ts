import type { Note } from "#shared/notes.ts";
import { homedir } from "node:os";
import { dirname } from "node:path";
import type { RunDetail, VariantResult } from "#shared/run.ts";
import type { ReportModel, ReportSource } from "./source.ts";
import { lastName, withoutPaths } from "../archive/withoutPaths.ts";

/** A run without the paths of this machine, as one that nobody executes any more. */
export function portableRun(detail: RunDetail): RunDetail {
  const known = pathsOf(detail);
  const status = ["waiting", "running", "paused"].includes(detail.summary.status)
    ? "interrupted"
    : detail.summary.status;
  return {
    ...detail,
    summary: { ...detail.summary, model: "", status },
    text: lastName(detail.text),
    calibration: detail.calibration === null ? null : lastName(detail.calibration),
    notes: portableNotes(detail.notes, known),
    results: detail.results.map((result) => portableResult(result, known)),
  };
}

function portableResult(result: VariantResult, known: readonly string[]): VariantResult {
  const { error, ...rest } = result;
  const halted = { ...rest, status: rest.status === "running" ? ("waiting" as const) : rest.status };
  if (!error) return halted;
  const sentence = (text: string): string => withoutPaths(text, known);
  return {
    ...halted,
    error: { ...error, message: sentence(error.message), next: sentence(error.next), details: {} },
  };
}

/** What a report is written from, without the paths of this machine. */
export function portableSource(source: ReportSource): ReportSource {
  const known = source.runs.flatMap(({ detail }) => pathsOf(detail));
  return {
    ...source,
    runs: source.runs.map((run) => ({ ...run, detail: portableRun(run.detail) })),
    models: source.models.map((model) => portableModel(model, known)),
  };
}

function portableModel(model: ReportModel, known: readonly string[]): ReportModel {
  const { summary, absent, detection } = model;
  return {
    ...model,
    path: "",
    absent: absent === null ? null : withoutPaths(absent, [...known, model.path]),
    summary: summary && {
      ...summary,
      path: "",
      notes: portableNotes(summary.notes, [...known, model.path]),
    },
    detection: detection && { ...detection, model: "" },
  };
}

function portableNotes(notes: readonly Note[], known: readonly string[]): Note[] {
  return notes.map(({ code, text }) => ({ code, text: withoutPaths(text, known) }));
}

/** Paths that sentences about a run may hold. */
function pathsOf({ summary, text, calibration }: RunDetail): string[] {
  const files = [summary.model, text, calibration ?? ""];
  return [...files, ...files.filter((path) => path !== "").map((path) => dirname(path)), homedir()].filter(
    (path) => path.length > 1,
  );
}
