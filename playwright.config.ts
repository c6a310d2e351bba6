import { defineConfig } from "@playwright/test";
import { findChromium } from "./scripts/findChromium.ts";
import { keepCompiled } from "./scripts/testing/compileCache.ts";

keepCompiled();

const executablePath = findChromium();

export default defineConfig({
  testDir: "e2e",
  fullyParallel: false,
  workers: 1,
  // A test that failed has failed.
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  use: {
    headless: true,
    // What cannot be clicked is named long before the test's own time is over.
    actionTimeout: 30_000,
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...(executablePath === null ? {} : { executablePath }),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
    trace: "retain-on-failure",
  },
});
