import { expect, it } from "vitest";
import { labRequest } from "#shared/lab/index.ts";
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
  expect(store.list()).toMatchObject([{ id: "kept", finding: whole.finding }]);
});

it("reads what an earlier version kept: findings and notes as sentences alone, rows that their names tell apart", () => {
  const database = openDatabase(":memory:");
  const store = new LabStore(database);
  const today = labReportOf("importance");
  store.save("kept", labRequest.parse({ experiment: "importance", text: "/t.txt" }), today);
  const earlier = {
    ...today,
    finding: "Found.",
    notes: ["A note."],
    rows: today.rows.map((row) => ({ ...row, kind: undefined })),
  };
  database.prepare("UPDATE lab_results SET report = ?, finding = ?").run(JSON.stringify(earlier), "Found.");
  const finding = { code: "earlier", text: "Found." };
  const { summary, report } = store.get("kept");
  expect(store.list()).toMatchObject([{ id: "kept", finding }]);
  expect([summary.finding, report.finding]).toEqual([finding, finding]);
  expect(report.notes).toEqual([{ code: "earlier", text: "A note." }]);
  expect(report).toMatchObject({ rows: today.rows.map(({ kind, name }) => ({ kind, name })) });
});
