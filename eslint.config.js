import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import tseslint from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

/** The rooms in dependency order: each may import those before it, never those after it. */
const ROOMS = ["shared", "engine", "worker", "studio"];
const FACES = ["main", "preload", "renderer", "cli", "serve"];
const ALL = [...ROOMS, ...FACES];

/** What a room must not import, as `#room/…` or as a relative path out of it. */
const FORBIDDEN = {
  ...Object.fromEntries(ROOMS.map((room, i) => [room, [...ROOMS.slice(i + 1), ...FACES]])),
  main: ["renderer", "preload", "cli", "serve", "engine", "worker"],
  preload: ["engine", "worker", "studio", "main", "renderer", "cli", "serve"],
  renderer: ["engine", "worker", "studio", "main", "preload", "cli", "serve"],
  // The command line starts the server: its `serve` command is the one door between two faces.
  cli: ["main", "preload", "renderer"],
  serve: ["main", "preload", "renderer", "cli"],
};

const OUT_OF_ROOM = "Across rooms, import through #shared, #engine, #worker or #studio.";

const directions = ALL.map((room) => ({
  files: [`src/${room}/**/*.{ts,svelte}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(#|(\\.\\./)+)(${FORBIDDEN[room].join("|")})/`,
            message: "Arrows point from faces to studio to worker to engine to shared, never back.",
          },
          {
            regex: `^(\\.\\./)+(${ROOMS.filter((other) => other !== room).join("|")})/`,
            message: OUT_OF_ROOM,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  {
    ignores: [
      "node_modules",
      "out",
      "dist",
      "coverage",
      ".venv",
      "test-results",
      "playwright-report",
      "resources",
      "src/engine/numeric/kernels/assembly",
    ],
  },
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
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/require-await": "off",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  ...directions,
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { globals: globals.browser, parserOptions: { parser: tseslint.parser, svelteConfig } },
  },
  // ESLint sees `any` where a template's types come from Svelte; svelte-check is the type check there.
  {
    files: ["**/*.svelte"],
    rules: Object.fromEntries(
      ["argument", "assignment", "call", "member-access", "return"]
        .map((rule) => [`@typescript-eslint/no-unsafe-${rule}`, "off"])
        .concat([["@typescript-eslint/no-redundant-type-constituents", "off"]]),
    ),
  },
  { files: ["src/renderer/**/*.ts"], languageOptions: { globals: globals.browser } },
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  { files: ["scripts/**", "**/*.mjs"], rules: { "@typescript-eslint/restrict-template-expressions": "off" } },
);
