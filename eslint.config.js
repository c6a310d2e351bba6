import js from "@eslint/js";
import importX, { createNodeResolver } from "eslint-plugin-import-x";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import tseslint from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

/** The rooms in dependency order: each may import those before it, never those after it. */
const ROOMS = ["shared", "engine", "worker", "studio"];
const FACES = ["main", "preload", "renderer", "cli", "serve"];

const zones = [
  ...ROOMS.map((room, i) => ({
    target: `./src/${room}`,
    from: [...ROOMS.slice(i + 1), ...FACES].map((later) => `./src/${later}`),
    message: "Arrows point from faces to studio to worker to engine to shared, never back.",
  })),
  { target: "./src/preload", from: ["./src/engine", "./src/worker", "./src/studio"], message: "The preload knows the contract only." },
  { target: "./src/renderer", from: ["./src/engine", "./src/worker", "./src/studio", "./src/main", "./src/serve", "./src/cli"], message: "The window knows the contract only." },
  { target: "./src/serve", from: ["./src/main", "./src/renderer", "./src/preload"], message: "A face does not import a face." },
  { target: "./src/main", from: ["./src/cli", "./src/renderer", "./src/preload"], message: "A face does not import a face." },
];

export default tseslint.config(
  { ignores: ["node_modules", "out", "dist", "coverage", "test-results", "playwright-report", "resources"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.node },
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "*.mjs", "scripts/*.mjs"] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
      },
    },
    plugins: { "import-x": importX },
    settings: {
      "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".js", ".svelte"] })],
    },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones, basePath: import.meta.dirname }],
      "no-restricted-imports": ["error", { patterns: [{ regex: "^\\.\\./\\.\\./", message: "Across rooms, import through #shared, #engine, #worker or #studio." }] }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/require-await": "off",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["**/*.svelte", "**/*.svelte.ts"], languageOptions: { globals: globals.browser, parserOptions: { parser: tseslint.parser, svelteConfig } } },
  { files: ["src/renderer/**/*.ts"], languageOptions: { globals: globals.browser } },
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  { files: ["scripts/**", "**/*.mjs"], rules: { "@typescript-eslint/restrict-template-expressions": "off" } },
);
