import { expect, it } from "vitest";
import { labRequest } from "#shared/lab.ts";
import { labReportOf } from "../../../test/support/labReports.ts";
import { LabStore } from "./labStore.ts";
import { openDatabase } from "./openDatabase.ts";

const request = labRequest.parse({ experiment: "token-probabilities", text: "/t.txt" });
const whole = labReportOf("token-probabilities");

it("keeps nothing that could not be read again, and says which figure is no number", () => {
  const store = new LabStore(openDatabase(":memory:"));
  const broken = { ...whole, entropy: { original: NaN, pruned: 1 } };
  expect(() => store.save("broken", request, broken)).toThrow(
    expect.objectContaining({
      code: "lab/unreadable-report",
      message: expect.stringMatching(
        /^Token probabilities came to a result that cannot be kept: entropy\.original: /,
      ) as string,
    }) as Error,
  );
  expect(store.list()).toEqual([]);
});

it("gives back what it keeps", () => {
  const store = new LabStore(openDatabase(":memory:"));
  store.save("kept", request, whole);
  expect(store.get("kept")).toMatchObject({ request, report: whole });
});
