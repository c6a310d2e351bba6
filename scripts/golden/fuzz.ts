// NumPy's mean NLL of some of the fuzzer's checkpoints, for test/checkpoint/fuzz.test.ts:
//   node scripts/golden/fuzz.ts PYTHON > test/golden/fuzz/golden.json
// PYTHON names an interpreter that has numpy.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedWindows } from "../peers/fuzz/fixedWindows.ts";
import { checkpointOf } from "../peers/fuzz/generate.ts";
import { referenceJob, referenceNll } from "../peers/fuzz/reference.ts";

const [FIRST, LAST] = [0, 65];

const place = mkdtempSync(join(tmpdir(), "keystone-golden-fuzz-"));
try {
  const jobs = [];
  for (let seed = FIRST; seed <= LAST; seed++) {
    const { draft } = checkpointOf(seed);
    const folder = join(place, `${seed}`);
    mkdirSync(folder);
    jobs.push(await referenceJob(draft.meaning, fixedWindows(seed, draft), folder));
  }
  const nll = referenceNll(process.argv[2] ?? "python3", jobs);
  process.stdout.write(
    `${JSON.stringify({ source: "scripts/peers/fuzz/reference.py", first: FIRST, nll }, null, 2)}\n`,
  );
} finally {
  rmSync(place, { recursive: true, force: true });
}
