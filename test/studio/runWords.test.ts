import { describe, expect, it } from "vitest";
import type { Studio } from "#studio/context/studio.ts";
import { eventOf, oldStore, startStudio } from "./helpers.ts";

function withRun(): { studio: Studio; home: string; run: string } {
  const { home, run } = oldStore();
  return { studio: startStudio({ home }), home, run };
}

const wordsOf = async (
  studio: Studio,
  run: string,
): Promise<{ name: string; note: string; edits: number }> => {
  const { name, note, edits } = (await studio.call("run:get", { run })).summary;
  return { name, note, edits };
};

describe("title and note of a run", () => {
  it("are kept, told to every window, found in the report, and undone one edit after the other, also later", async () => {
    const { studio, home, run } = withRun();
    expect(await wordsOf(studio, run)).toEqual({ name: "Kept of old", note: "", edits: 0 });
    const told = eventOf(studio, (event) => event.type === "run" && event.run.note !== "");
    await studio.call("run:note", { run, note: "Group 64 is enough.\n\nLarge blocks fail." });
    expect((await told).event).toMatchObject({ run: { id: run, edits: 1 } });
    await studio.call("run:note", { run, name: "Second title" });
    await studio.call("run:rename", { run, name: "Third title" });
    const { content } = await studio.call("report:make", { runs: [run], format: "markdown" });
    expect(content).toContain("Group 64 is enough.\n\nLarge blocks fail.");
    expect(content).toContain("Third title");
    await studio.close();

    const later = startStudio({ home });
    expect(await later.call("run:undo-note", { run })).toMatchObject({ name: "Second title", edits: 2 });
    expect(await later.call("run:undo-note", { run })).toMatchObject({
      name: "Kept of old",
      note: "Group 64 is enough.\n\nLarge blocks fail.",
    });
    expect(await later.call("run:undo-note", { run })).toMatchObject({ note: "", edits: 0 });
    await expect(later.call("run:undo-note", { run })).rejects.toMatchObject({ code: "run/nothing-to-undo" });
  });

  it("that say the same as before are no edit", async () => {
    const { studio, run } = withRun();
    await studio.call("run:note", { run, name: "Kept of old", note: "" });
    expect((await wordsOf(studio, run)).edits).toBe(0);
  });

  it("are not written over what another window wrote meanwhile", async () => {
    const { studio, run } = withRun();
    const was = { name: "Kept of old", note: "" };
    await studio.call("run:note", { run, note: "from one window", was });
    const refused = { code: "run/words-changed" };
    await expect(studio.call("run:note", { run, note: "from another", was })).rejects.toMatchObject(refused);
    await expect(studio.call("run:undo-note", { run, was })).rejects.toMatchObject(refused);
    expect((await wordsOf(studio, run)).note).toBe("from one window");
  });

  it("of a run that is not there, too long or without a title are refused", async () => {
    const { studio, run } = withRun();
    await expect(studio.call("run:note", { run: "nowhere", note: "x" })).rejects.toMatchObject({
      code: "run/unknown",
    });
    for (const wrong of [{ name: " " }, { note: "x".repeat(20_001) }])
      await expect(studio.call("run:note", { run, ...wrong })).rejects.toMatchObject({
        code: "usage/invalid-arguments",
      });
  });
});
