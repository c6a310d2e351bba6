import type { Component } from "svelte";
import type { Studio } from "../state/studio.svelte.ts";
import type { IconName } from "../parts/icons.ts";
import Diff from "./diff/Diff.svelte";
import Compare from "./compare/Compare.svelte";
import Export from "./export/Export.svelte";
import Lab from "./lab/Lab.svelte";
import Home from "./home/Home.svelte";
import Overview from "./overview/Overview.svelte";
import Run from "./run/Run.svelte";
import Runs from "./runs/Runs.svelte";
import Settings from "./settings/Settings.svelte";
import SuperWeights from "./superweights/SuperWeights.svelte";
import Sweep from "./sweep/Sweep.svelte";

/** A screen: one entry here puts it into the router, the navigation, the palette and the keyboard map. */
export interface Screen {
  /** Its place in the address: `#/overview`, `#/run/ID`. */
  id: string;
  title: string;
  icon: IconName;
  /** Shown in the navigation of the open model (`model`), beside it (`library`), or reached from elsewhere (null). */
  section: "model" | "library" | null;
  /** Needs an open model; without one Home is shown. */
  needsModel: boolean;
  /** Ctrl and this digit. */
  digit?: string;
  /** Entry of the navigation that stands for it, where that is not its own. */
  under?: string;
  /** Its live fact in the navigation; `mark` puts the keystone mark before it. */
  fact?: (studio: Studio) => { text: string; mark?: boolean } | null;
  /** Where its entry leads, where that is not its own place: a sweep that runs, the picks of a run. */
  target?: (studio: Studio) => { screen: string; id: string } | null;
  component: Component;
}

export const SCREENS: readonly Screen[] = [
  {
    id: "overview",
    title: "Overview",
    icon: "layers",
    section: "model",
    needsModel: true,
    digit: "1",
    component: Overview,
    fact: ({ model }) => (model ? { text: `${model.summary.tensors.length} tensors` } : null),
  },
  {
    id: "super-weights",
    title: "Super weights",
    icon: "wedge",
    section: "model",
    needsModel: true,
    digit: "2",
    component: SuperWeights,
    fact: superWeightFact,
  },
  {
    id: "lab",
    title: "Lab",
    icon: "flask",
    section: "model",
    needsModel: true,
    digit: "3",
    component: Lab,
    fact: labFact,
  },
  {
    id: "sweep",
    title: "Sweep",
    icon: "grid",
    section: "model",
    needsModel: true,
    digit: "4",
    component: Sweep,
    fact: sweepFact,
    target: sweepTarget,
  },
  {
    id: "compare",
    title: "Compare",
    icon: "cols",
    section: "model",
    needsModel: true,
    digit: "5",
    component: Compare,
    fact: ({ picks }) => (picks.all.length > 0 ? { text: String(picks.all.length) } : null),
  },
  {
    id: "export",
    title: "Export",
    icon: "box",
    section: "model",
    needsModel: true,
    digit: "6",
    component: Export,
  },
  { id: "run", title: "Run", icon: "grid", section: null, needsModel: false, under: "sweep", component: Run },
  {
    id: "diff",
    title: "Diff",
    icon: "cols",
    section: null,
    needsModel: false,
    under: "home",
    component: Diff,
  },
  {
    id: "home",
    title: "Models",
    icon: "home",
    section: "library",
    needsModel: false,
    component: Home,
    fact: ({ recent }) => (recent.length > 0 ? { text: String(recent.length) } : null),
  },
  {
    id: "runs",
    title: "Runs",
    icon: "lib",
    section: "library",
    needsModel: false,
    component: Runs,
    fact: ({ runs }) => (runs.length > 0 ? { text: String(runs.length) } : null),
  },
  {
    id: "settings",
    title: "Settings",
    icon: "gear",
    section: "library",
    needsModel: false,
    component: Settings,
  },
];

function superWeightFact(studio: Studio): { text: string; mark?: boolean } | null {
  if (studio.activeJob("detect")) return { text: "searching" };
  const { model } = studio;
  if (!model?.detection) return null;
  const found = model.superWeights.length;
  if (found > 0) return { text: String(found), mark: true };
  return { text: model.detection.judged === null ? "not measured" : "none" };
}

function labFact(studio: Studio): { text: string } | null {
  if (!studio.model) return null;
  const { path } = studio.model;
  const jobs = studio.active.filter(({ kind, model }) => kind === "lab" && model === path);
  if (jobs.length > 0)
    return { text: jobs.every(({ status }) => status === "waiting") ? "queued" : "running" };
  const kept = studio.lab.of(studio.model.summary.fingerprint).length;
  return kept > 0 ? { text: `${kept} kept` } : null;
}

function sweepFact(studio: Studio): { text: string } | null {
  const run = studio.runs.find(({ id }) => id === studio.activeJob("sweep")?.run);
  return run ? { text: `${run.done} / ${run.total}` } : null;
}

function sweepTarget(studio: Studio): { screen: string; id: string } | null {
  const run = studio.activeJob("sweep")?.run ?? null;
  return run === null ? null : { screen: "run", id: run };
}

/** The screen of a place; an unknown one, or one whose model is not open, is Home. */
export function screenOf(id: string, hasModel: boolean): Screen {
  const screen = SCREENS.find((one) => one.id === id);
  const home = SCREENS.find((one) => one.id === "home");
  if (home === undefined) throw new Error("The home screen is missing from SCREENS.");
  return screen && (hasModel || !screen.needsModel) ? screen : home;
}
