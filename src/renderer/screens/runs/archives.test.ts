import { expect, it, vi } from "vitest";
import type { Host } from "#shared/contract/contract.ts";
import { MAX_ARCHIVE_BYTES } from "#shared/runArchive.ts";
import { base64Of, bytesOf, importArchive } from "./archives.ts";

it("bytes come back from Base64 as they were, however many", () => {
  const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * 131) % 256);
  expect(base64Of(Uint8Array.of(0, 255, 16, 131))).toBe("AP8Qgw==");
  expect(bytesOf(base64Of(bytes))).toEqual(bytes);
  expect(base64Of(new Uint8Array())).toBe("");
});

it("a file that is too large is not sent at all", async () => {
  const call = vi.fn();
  const file = { size: MAX_ARCHIVE_BYTES + 1 } as Blob;
  await expect(importArchive({ call } as unknown as Host, file)).rejects.toMatchObject({
    code: "archive/too-large",
  });
  expect(call).not.toHaveBeenCalled();
});
