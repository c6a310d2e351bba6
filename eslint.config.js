import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import tseslint from "typescript-eslint";
import { DIRECTIONS } from "./scripts/importOrder.ts";
import svelteConfig from "./svelte.config.js";

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
  ...DIRECTIONS,
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
