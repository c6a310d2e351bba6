import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "electron-vite";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const rooms = {
  "#shared": here("src/shared"),
  "#engine": here("src/engine"),
  "#worker": here("src/worker"),
  "#studio": here("src/studio"),
};

export default defineConfig({
  main: {
    resolve: { alias: rooms },
    build: {
      outDir: "out/main",
      // The worker and the command line are entries of their own beside Electron's main.
      rolldownOptions: {
        input: {
          index: here("src/main/index.ts"),
          worker: here("src/worker/worker.ts"),
          cli: here("src/cli/index.ts"),
        },
        output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
  },
  preload: {
    resolve: { alias: rooms },
    build: {
      outDir: "out/preload",
      // A sandboxed preload is one CommonJS file: it can load nothing but electron.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: here("src/preload/index.ts") },
        external: ["electron"],
        output: { format: "cjs", entryFileNames: "[name].cjs" },
      },
    },
  },
  renderer: {
    root: here("src/renderer"),
    resolve: { alias: { ...rooms, "#renderer": here("src/renderer") } },
    plugins: [svelte({ configFile: here("svelte.config.js") })],
    build: {
      outDir: here("out/renderer"),
      emptyOutDir: true,
      rolldownOptions: { input: here("src/renderer/index.html") },
      // Plotly alone is past the usual warning size; it is loaded on demand.
      chunkSizeWarningLimit: 6000,
    },
  },
});
