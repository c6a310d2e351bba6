import { expect, it } from "vitest";
import { exportFormat, exportFormatOf, ownFormatOf } from "./index.ts";

it("a codec is the own one of at most one format", () => {
  const own = exportFormat.options.flatMap((format) =>
    exportFormatOf(format).own.map((codec) => ({ codec, format })),
  );
  expect(new Set(own.map(({ codec }) => codec)).size).toBe(own.length);
  for (const { codec, format } of own) expect(ownFormatOf(codec)).toBe(format);
  expect(ownFormatOf("rtn")).toBeNull();
});

it("only a format that keeps whole modules says what they may become", () => {
  for (const format of exportFormat.options) {
    const { restored, kept } = exportFormatOf(format);
    expect(kept.length > 0, format).toBe(restored === "module");
  }
});
