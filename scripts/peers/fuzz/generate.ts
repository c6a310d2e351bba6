import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { safetensorsBytes } from "../../../test/support/safetensorsBytes.ts";
import { ADDED_TOKENS } from "./addedTokens.ts";
import { baseDraft } from "./base.ts";
import { CONTENTS } from "./contents.ts";
import type { Disturbance, Draft } from "./draft.ts";
import { LAYOUTS, NAMES, settleLayout, SIDE_FILES } from "./places.ts";
import { Random } from "./random.ts";
import { SPELLINGS, textOf } from "./spellings.ts";

/** How often a checkpoint gets one of each kind; contents, which matter most, up to two. */
const STAGES: readonly { readonly among: readonly Disturbance[]; readonly chances: readonly number[] }[] = [
  { among: CONTENTS, chances: [0.65, 0.2] },
  { among: SPELLINGS, chances: [0.4, 0.2] },
  { among: NAMES, chances: [0.15] },
  { among: LAYOUTS, chances: [0.25] },
  { among: SIDE_FILES, chances: [0.3, 0.1] },
  { among: ADDED_TOKENS, chances: [0.25] },
];

export interface Checkpoint {
  readonly seed: number;
  readonly draft: Draft;
  /** What was done to it, as the table calls it; none for a plain one. */
  readonly disturbed: readonly string[];
}

/** The checkpoint of a seed: always the same. */
export function checkpointOf(seed: number): Checkpoint {
  const random = new Random(seed);
  const draft = baseDraft(random);
  const disturbed: string[] = [];
  for (const { among, chances } of STAGES)
    for (const chance of chances) {
      const { name, apply } = random.pick(among);
      // the dice are thrown in any case, so that what follows does not depend on what applied
      if (random.chance(chance) && !disturbed.includes(name) && apply(draft, random)) disturbed.push(name);
    }
  settleLayout(draft);
  return { seed, draft, disturbed };
}

/** Writes a checkpoint into a folder that is not there yet. Returns what is to be opened. */
export async function writeDraft(draft: Draft, folder: string): Promise<string> {
  const files = new Map<string, string | Uint8Array>([["config.json", textOf(draft)], ...draft.files]);
  for (const [file, names] of draft.weightFiles) {
    const held = [...draft.tensors].filter(([name]) => names.includes(name));
    const entries = Object.fromEntries(
      held.map(([name, { dtype, shape, data }]) => [name, { dtype, shape, ...(data && { data }) }]),
    );
    files.set(file, safetensorsBytes(entries, { metadata: { format: "pt" } }));
  }
  const blobs = join(folder, "..", "blobs");
  await mkdir(blobs, { recursive: true });
  for (const [index, [path, content]] of [...files].entries()) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const place = draft.linked ? join(blobs, `b${index.toString(16).padStart(63, "0")}`) : join(folder, path);
    await writeFile(place, content);
    if (draft.linked) await symlink(place, join(folder, path));
  }
  return folder;
}
