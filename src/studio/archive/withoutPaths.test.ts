import { expect, it } from "vitest";
import { lastName, withoutPaths } from "./withoutPaths.ts";

it("leaves of a path its last name", () => {
  expect(lastName("/home/ada/models/demo/")).toBe("demo");
  expect(lastName("C:\\Users\\Ada\\text.txt")).toBe("text.txt");
  expect(lastName("text.txt")).toBe("text.txt");
});

it("takes known paths out of a sentence, also those with blanks, and what looks like one", () => {
  expect(
    withoutPaths("/home/ada/my models/demo/a.safetensors: cut off in /home/ada/my models/demo.", [
      "/home/ada/my models/demo",
    ]),
  ).toBe("demo/a.safetensors: cut off in demo.");
  expect(withoutPaths('open("/var/tmp/x/y.bin") failed; see C:\\a\\b\\c.txt and ~/d/e', [])).toBe(
    'open("y.bin") failed; see c.txt and e',
  );
});

it("leaves rates, fractions, tensor names and addresses of weights as they are", () => {
  const sentence = "1/4 of 271 tok/s at model.layers.1.mlp.down_proj.weight, [1, 137], BF16/F16/F32";
  expect(withoutPaths(sentence, [])).toBe(sentence);
});
