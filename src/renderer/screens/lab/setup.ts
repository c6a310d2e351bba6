import { z } from "zod";
import { experimentName, labRequest, type ExperimentName, type LabRequest } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import type { LabOption } from "#shared/lab/options.ts";
import { rowJoin, USUAL_JOIN, windowConvention, type RowJoin, type WindowConvention } from "#shared/plan.ts";

const clipEntry = z.object({ method: z.string(), threshold: z.string() });
const entry = z.union([z.string(), z.array(z.string()), z.boolean(), clipEntry]);

/** What a field holds while it is written: texts as they stand, so that half a number is no loss. */
export type Entry = z.infer<typeof entry>;
export type RangeEntry = z.infer<typeof clipEntry>;

const setup = z.object({
  text: z.string().nullable(),
  calibration: z.string().nullable(),
  tasks: z.array(z.string()),
  taskLimit: z.string(),
  tokens: z.string(),
  context: z.string(),
  stride: z.string(),
  windows: windowConvention,
  /** Null = as the convention's authors join rows. */
  join: rowJoin.nullable().default(null),
  entries: z.record(experimentName, z.record(z.string(), entry)),
});

/** The lab's form: what all experiments are judged on, and what each is asked beside it. */
export type Setup = z.infer<typeof setup>;

/** Tokens scored unless the form says otherwise: enough to tell a destroyed model from a whole one, bearable on a CPU. */
const DEFAULT_TOKENS = 4096;
/** Items per task task file, as many as keep the standard error near 3 points. */
const DEFAULT_TASK_LIMIT = 200;

export function newSetup(): Setup {
  const names = experimentName.options;
  return {
    text: null,
    calibration: null,
    tasks: [],
    taskLimit: String(DEFAULT_TASK_LIMIT),
    tokens: String(DEFAULT_TOKENS),
    context: "",
    stride: "",
    windows: "bos",
    join: null,
    entries: Object.fromEntries(names.map((name) => [name, defaultEntries(name)])) as Setup["entries"],
  };
}

/** The schema's own defaults, as the form writes them. */
export function defaultEntries(experiment: ExperimentName): Record<string, Entry> {
  const defaults = labRequest.parse({ experiment, text: "-" }) as Record<string, unknown>;
  return Object.fromEntries(
    EXPERIMENTS[experiment].options.map((field) => [field.key, written(field, defaults[field.key])]),
  );
}

function written({ entry: { kind } }: LabOption, value: unknown): Entry {
  if (kind === "flag") return value === true;
  if (kind === "many") return (value as (string | number)[]).map(String);
  if (kind === "lines") return (value as string[]).join("\n");
  if (kind === "range") {
    const { method, threshold } = value as { method: string; threshold?: number };
    return { method, threshold: threshold === undefined ? "" : String(threshold) };
  }
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** What a field's entry says in the request. What cannot be read is given on as it is, for the schema to refuse. */
function read({ entry: { kind, ...rest } }: LabOption, value: Entry): unknown {
  if (typeof value === "boolean") return value;
  if (Array.isArray(value)) {
    const options = "options" in rest ? rest.options : [];
    return value.flatMap((word) => options.find((option) => String(option.value) === word)?.value ?? []);
  }
  if (typeof value === "object") {
    return value.method === "mse"
      ? { method: "mse" }
      : { method: value.method, threshold: numberOf(value.threshold) };
  }
  const text = value.trim();
  if (kind === "numbers") return parts(text).map(numberOf);
  if (kind === "words") return parts(text);
  if (kind === "lines")
    return value
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  if (kind === "number") return text === "" ? null : numberOf(text);
  if (kind === "one" && "options" in rest)
    return rest.options.find((option) => String(option.value) === text)?.value ?? text;
  return text;
}

/** `1,000` is a thousand where one number is asked for; a true minus is a minus. */
function numberOf(text: string): number | string {
  const value = Number(
    text
      .trim()
      .replace("−", "-")
      .replaceAll(/,(?=\d{3}\b)/g, ""),
  );
  return text.trim() !== "" && Number.isFinite(value) ? value : text;
}

function parts(text: string): string[] {
  return text
    .split(/[,;\s]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** A request that can be sent, or what keeps it from being one: a sentence a field, by its key. */
export type Composed =
  { request: LabRequest; problems: null } | { request: null; problems: Readonly<Record<string, string>> };

/**
 * What the form asks of one experiment.
 * @param longest positions the model knows
 */
export function compose(form: Setup, experiment: ExperimentName, longest = Infinity): Composed {
  const entries = form.entries[experiment];
  const asked = Object.fromEntries(
    EXPERIMENTS[experiment].options.map((field) => [field.key, read(field, entries[field.key] ?? "")]),
  );
  const problems = { ...judgeProblems(form, longest), ...textProblems(form, experiment, asked) };
  const { uses, options } = EXPERIMENTS[experiment];
  const parsed = labRequest.safeParse({
    experiment,
    text: form.text ?? "-",
    calibration: uses.calibration ? form.calibration : null,
    tasks: uses.tasks ? form.tasks : [],
    taskLimit: uses.tasks && form.taskLimit.trim() !== "" ? wholeOf(form.taskLimit) : null,
    ...(uses.windows ? { judge: judgeOf(form) } : {}),
    ...asked,
  });
  for (const { path } of parsed.error?.issues ?? []) {
    const field = options.find(({ key }) => key === path[0]);
    if (field) problems[field.key] ??= field.valid;
  }
  if (parsed.success && Object.keys(problems).length === 0) return { request: parsed.data, problems: null };
  return { request: null, problems };
}

/** Windows, and what becomes of rows where that is not usual for them. */
export function withWindows(
  windows: WindowConvention,
  join: RowJoin = USUAL_JOIN[windows],
): Pick<Setup, "windows" | "join"> {
  return { windows, join: join === USUAL_JOIN[windows] ? null : join };
}

function judgeOf(form: Setup): Record<string, unknown> {
  const judge: Record<string, unknown> = { windows: form.windows };
  if (form.join !== null) judge["join"] = form.join;
  for (const key of ["context", "stride", "tokens"] as const)
    if (form[key].trim() !== "") judge[key] = wholeOf(form[key]);
  return judge;
}

/** A whole number from 1, or NaN. */
function wholeOf(text: string): number {
  const value = Number(text.replaceAll(",", "").trim());
  return Number.isInteger(value) && value >= 1 ? value : NaN;
}

/** Problems of what all experiments share, by the field's key. */
export function judgeProblems(form: Setup, longest: number): Record<string, string> {
  const problems: Record<string, string> = {};
  const given = (key: "tokens" | "context" | "stride" | "taskLimit"): number | null =>
    form[key].trim() === "" ? null : wholeOf(form[key]);
  const [tokens, context, stride, limit] = [
    given("tokens"),
    given("context"),
    given("stride"),
    given("taskLimit"),
  ];
  const most = context ?? Math.min(2048, longest);
  if (Number.isNaN(tokens)) problems["tokens"] = "A whole number from 1. Empty: the whole text.";
  if (context !== null && !(context >= 2 && context <= longest))
    problems["context"] =
      `A whole number from 2 to ${longest.toLocaleString("en-US")}, as many as the model knows.`;
  if (stride !== null && !(stride <= most))
    problems["stride"] =
      `A whole number from 1 to ${most.toLocaleString("en-US")}, the context. Empty: none.`;
  if (Number.isNaN(limit)) problems["taskLimit"] = "A whole number from 1. Empty: every item.";
  return problems;
}

/** @param asked the experiment's own fields as the request has them */
function textProblems(
  form: Setup,
  experiment: ExperimentName,
  asked: Readonly<Record<string, unknown>>,
): Record<string, string> {
  if (form.text === null) return { text: "Choose the text that is scored." };
  const described = EXPERIMENTS[experiment];
  const { uses, title } = described;
  if (!uses.calibration) return {};
  const needs = `${title} is calibrated on one text and evaluated on another`;
  if (form.calibration === null) {
    const otherwise = described.withoutCalibration?.(asked) ?? null;
    return otherwise === null ? {} : { calibration: `${needs}: ${otherwise}` };
  }
  return form.calibration === form.text ? { calibration: `${needs}: choose two different ones.` } : {};
}

/** Reads a form that was kept as JSON; null where it is none, or of another version. */
export function readSetup(text: string | null): Setup | null {
  if (text === null) return null;
  try {
    const read = setup.safeParse(JSON.parse(text));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
