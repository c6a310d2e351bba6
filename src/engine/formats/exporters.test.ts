import { expect, it } from "vitest";
import { exportFormat } from "#shared/exportFormats/index.ts";
import { exporters } from "./exporters.ts";

it("every format that is described has a writer, and the other way round", () => {
  expect(Object.keys(exporters).toSorted()).toEqual(exportFormat.options.toSorted());
});
