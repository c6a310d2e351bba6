import { expect, type Page } from "@playwright/test";
import { openModel, pastePlan, PLAN, visit } from "./support/steps.ts";
import { test } from "./support/served.ts";

const HOUR_MS = 3_600_000;

test("the estimate of an earlier plan does not let a later one start", async ({ keystone: page, served }) => {
  const answers = await holdEstimates(page);
  await page.clock.install();
  await page.reload();
  await openModel(page, served.demoModel);
  await visit(page, "#/sweep");
  const start = page.getByRole("button", { name: "Start sweep" });
  const receipt = page.getByRole("complementary", { name: "This sweep" });
  await expect(receipt).toContainText("48 variants");
  await expect(receipt).not.toContainText("Choose a text");
  // Two: before and after the text was found.
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  // From here on the pause between a change and its question does not end by itself.
  await page.clock.pauseAt(Date.now() + HOUR_MS);
  await page.getByRole("button", { name: "2", exact: true }).first().click();
  await expect(receipt).toContainText("72 variants");
  for (const answer of answers.splice(0)) answer();
  await page.evaluate("new Promise((resolve) => queueMicrotask(resolve))");
  await expect(start).toBeDisabled();

  await page.clock.resume();
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  for (const answer of answers.splice(0)) answer();
  await expect(start).toBeEnabled();
});

test("a plan that another took the place of can be taken back", async ({ keystone: page, served }) => {
  await openModel(page, served.demoModel);
  const receipt = page.getByRole("complementary", { name: "This sweep" });
  const back = page.getByRole("button", { name: "Restore it" });
  await pastePlan(page, PLAN);
  await expect(receipt).toContainText("24 variants");
  // Nobody misses what every wizard starts from.
  await expect(back).toHaveCount(0);
  await pastePlan(page, { ...PLAN, grid: { ...PLAN.grid, bits: [4] } });
  await expect(receipt).toContainText("12 variants");
  await back.click();
  await expect(receipt).toContainText("24 variants");
});

/** Holds back what the studio answers to `sweep:estimate`; each is given by calling it. */
async function holdEstimates(page: Page): Promise<(() => void)[]> {
  const held: (() => void)[] = [];
  const asked = new Set<unknown>();
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const { id, call } = JSON.parse(String(message)) as { id: unknown; call?: unknown };
      if (call === "sweep:estimate") asked.add(id);
      server.send(message);
    });
    server.onMessage((message) => {
      const { id } = JSON.parse(String(message)) as { id?: unknown };
      if (asked.has(id)) held.push(() => socket.send(message));
      else socket.send(message);
    });
  });
  return held;
}
