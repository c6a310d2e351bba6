import { describe, expect, it } from "vitest";
import { baseModelName, licenseOf } from "./sourceCard.ts";

describe("the licence of a source's card", () => {
  it("is carried over with its name and link", () => {
    const card =
      "---\nlanguage: en\nlicense: other\nlicense_name: 'own-1.0'\nlicense_link: \"https://example.org/l\"\n---\n# Model";
    expect(licenseOf(card)).toEqual({
      license: "other",
      license_name: "own-1.0",
      license_link: "https://example.org/l",
    });
    expect(licenseOf("---\r\nlicense: mit # of the weights\r\n---\r\n")).toEqual({ license: "mit" });
  });

  it("is null where the front matter has none or holds no plain text", () => {
    const cards = [
      "",
      "# license: mit",
      "---\ntags:\n- a\n---",
      "---\nlicense:\n- mit\n---",
      "---\nlicense: [mit]\n---",
      "---\nlicense: mit",
    ];
    for (const card of cards) expect(licenseOf(card), card).toBeNull();
  });
});

describe("the name of a base model", () => {
  it("is the folder's, or owner/name where it lies in Hugging Face's cache", () => {
    expect(baseModelName("/models/Tiny")).toBe("Tiny");
    expect(baseModelName("/c/models--org--some-model/snapshots/0123")).toBe("org/some-model");
  });
});
