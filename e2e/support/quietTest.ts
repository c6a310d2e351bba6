import { test as base, expect, type Browser, type BrowserContext } from "@playwright/test";

/** Playwright's test, in which no window of any test may write a warning or an error to its console, or throw. */
export const test = base.extend<
  { quiet: undefined },
  {
    /** Complaints that a file's own doings bring about, such as a server that ends. */
    expectedComplaints: readonly RegExp[];
    /** What windows have complained of since the last test. */
    complaints: string[];
  }
>({
  expectedComplaints: [[], { scope: "worker", option: true }],
  complaints: [
    async ({ browser }, use) => {
      const complaints: string[] = [];
      listenToAll(browser, complaints);
      await use(complaints);
    },
    { scope: "worker", auto: true },
  ],
  quiet: [
    async ({ complaints, expectedComplaints }, use) => {
      await use(undefined);
      const heard = complaints
        .splice(0)
        .filter((text) => !expectedComplaints.some((expected) => expected.test(text)));
      expect(heard, "complaints in the console").toEqual([]);
    },
    { auto: true },
  ],
});

/** Listens to every context that is made from now on, those that a file makes for itself among them. */
function listenToAll(browser: Browser, complaints: string[]): void {
  const make = browser.newContext.bind(browser);
  browser.newContext = async (options): Promise<BrowserContext> => {
    const context = await make(options);
    context.on("console", (message) => {
      if (["warning", "error"].includes(message.type())) complaints.push(message.text());
    });
    context.on("weberror", (error) => complaints.push(error.error().message));
    return context;
  };
}
