import { textsOf } from "#shared/notes.ts";
import type { LabReport } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { isBesidePaper } from "#shared/lab/reports/paperNotes.ts";

/** Every report about the demo model says what it is. */
export const DEMO_NOTE =
  "This is Keystone's demo model. Models this small do not come to depend on one weight by themselves: its super weight was seeded before training, and the model was trained to need it. The effects are real, their origin is deliberate; do not quote them as evidence about language models.";

/** What stands under "Beside the paper", and the notes that are left. */
export function paperComparison({ experiment, notes }: LabReport): { paper: string[]; others: string[] } {
  return {
    paper: [...EXPERIMENTS[experiment].paperSays, ...textsOf(notes.filter(isBesidePaper))],
    others: textsOf(notes.filter((note) => !isBesidePaper(note))),
  };
}
