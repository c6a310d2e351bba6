import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { cancelledError } from "#shared/errors.ts";
import { freely, SUPER_WEIGHT, tree } from "../exporting.ts";
import { temporaryFolder, writeSyntheticCheckpoint } from "../../support/syntheticCheckpoint.ts";
import { exportDecoder } from "./exportDecoder.ts";

const CANCELS = 100;
const RECIPE = { scheme: "matmulnbits", bits: 4, granularity: "group:16", restore: [[1, 3, 7]] };

describe("a cancelled ONNX export", () => {
  it(`leaves nothing, at ${CANCELS} random moments`, async () => {
    const folder = await temporaryFolder();
    const source = await writeSyntheticCheckpoint(
      { plant: [SUPER_WEIGHT], shards: 3, files: { "tokenizer.json": "{}" } },
      join(folder, "model"),
    );
    const checkpoint = await openCheckpoint(source);
    let checks = 0;
    const cancelAt = (moment: number) => ({
      ...freely,
      check: () => {
        checks += 1;
        if (checks === moment) throw cancelledError();
      },
    });
    await exportDecoder(checkpoint, await temporaryFolder(), RECIPE, [], cancelAt(Infinity));
    const whole = checks;
    expect(whole).toBeGreaterThan(50);

    const before = await tree(folder);
    for (let i = 0; i < CANCELS; i++) {
      checks = 0;
      const moment = 1 + Math.floor(Math.random() * whole);
      const error = await exportDecoder(checkpoint, folder, RECIPE, [], cancelAt(moment)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error, `cancelled at check ${moment} of ${whole}`).toMatchObject({ code: "job/cancelled" });
      expect(await tree(folder), `cancelled at check ${moment} of ${whole}`).toEqual(before);
    }
    await checkpoint.close();
  });
});
