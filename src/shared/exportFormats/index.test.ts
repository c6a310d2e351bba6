import { expect, it } from "vitest";
import { exportFormat, exportFormatOf, ownFormatOf } from "./index.ts";

it("a scheme is the own one of at most one format", () => {
  const own = exportFormat.options.flatMap((format) =>
    exportFormatOf(format).own.map((scheme) => ({ scheme, format })),
  );
  expect(new Set(own.map(({ scheme }) => scheme)).size).toBe(own.length);
  for (const { scheme, format } of own) expect(ownFormatOf(scheme)).toBe(format);
  expect(ownFormatOf("affine")).toBeNull();
});

it("only a format that keeps whole modules says what they may become", () => {
  for (const format of exportFormat.options) {
    const { restored, kept } = exportFormatOf(format);
    expect(kept.length > 0, format).toBe(restored === "module");
  }
});
