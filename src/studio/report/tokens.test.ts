import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { paletteOf } from "#shared/figures/index.ts";
import { FONTS, TOKENS } from "./tokens.ts";

const css = readFileSync(join(import.meta.dirname, "../../renderer/styles/tokens.css"), "utf8");
const dark = css.indexOf('[data-theme="dark"]');
const THEMES = { light: css.slice(0, dark), dark: css.slice(dark) };

function token(theme: string, name: string): string | undefined {
  return new RegExp(`--${name}:\\s*([^;]+);`).exec(theme)?.[1]?.trim();
}

it.each(["light", "dark"] as const)("the report's %s colours are the window's", (theme) => {
  for (const [name, value] of Object.entries(TOKENS[theme]))
    expect([name, value]).toEqual([name, token(THEMES[theme], name)]);
});

it("the report's type is the window's", () => {
  for (const [name, value] of Object.entries(FONTS)) expect([name, value]).toEqual([name, token(css, name)]);
});

it("every token that a chart may name is there in both themes", () => {
  const unused = /^seq-/;
  paletteOf((name) => {
    if (!unused.test(name) && !(name in FONTS))
      expect([name, name in TOKENS.light, name in TOKENS.dark]).toEqual([name, true, true]);
    return name;
  });
});
