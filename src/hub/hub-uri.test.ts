import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { formatHubUri, isHubUri, parseHubUri, type HubReference } from "./hub-uri.ts";

describe("parseHubUri", () => {
  test.each([
    ["hf://o/n", { kind: "model", repo: "o/n", revision: "main" }],
    ["hf://models/o/n", { kind: "model", repo: "o/n", revision: "main" }],
    ["hf://o/n@v1.0", { kind: "model", repo: "o/n", revision: "v1.0" }],
    ["hf://o/n/", { kind: "model", repo: "o/n", revision: "main" }],
    ["hf://o/n@refs/pr/3", { kind: "model", repo: "o/n", revision: "refs/pr/3" }],
    ["hf://o/n@feature%2Fx", { kind: "model", repo: "o/n", revision: "feature/x" }],
    ["hf://datasets/o/n", { kind: "dataset", repo: "o/n", revision: "main" }],
    [
      "hf://datasets/o/n@refs/convert/parquet/default/*.parquet",
      {
        kind: "dataset",
        repo: "o/n",
        revision: "refs/convert/parquet",
        path: "default/*.parquet",
      },
    ],
    [
      "hf://datasets/o/n@v2/a b/ü@x.jsonl.gz",
      { kind: "dataset", repo: "o/n", revision: "v2", path: "a b/ü@x.jsonl.gz" },
    ],
    ["hf://datasets/o/n/data/", { kind: "dataset", repo: "o/n", revision: "main", path: "data" }],
  ])("reads %s", (uri, reference) => {
    expect(isHubUri(uri)).toBe(true);
    expect(parseHubUri(uri)).toEqual(reference);
  });

  test.each([
    "o/n",
    "https://huggingface.co/o/n",
    "hf://",
    "hf://gpt2",
    "hf://o@main",
    "hf:///n",
    "hf://o/",
    "hf://o/n@",
    "hf://o/n@a b",
    "hf://o/n@../x",
    "hf://o/n@..%2F..%2Fx",
    "hf://o/n@/x",
    "hf://o/n@-f",
    "hf://o/.n",
    "hf://o/..",
    "hf://o/a--b",
    "hf://o/a..b",
    "hf://../n",
    "hf://o\\p/n",
    `hf://o/${"n".repeat(97)}`,
    "hf://spaces/o/n",
    "hf://datasets/squad",
    "hf://datasets/o/n/../x",
    "hf://datasets/o/n//x",
    "hf://datasets/o/n/./x",
  ])("refuses %s with a hint", (uri) => {
    expect(() => parseHubUri(uri)).toThrow(ConfigError);
    expect(() => parseHubUri(uri)).toThrow(expect.objectContaining({ hint: expect.any(String) }));
  });

  test("never lets a revision or repository become a path that leaves its folder", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary", maxLength: 5 }),
      fc.constantFrom("..", ".", "a", "v1", "%2F", "refs/pr/", "/", "\\", "C:", "@"),
    );
    const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (name, revision) => {
        const reference = parsed(`hf://o/${name}@${revision}`);
        if (reference === undefined) return;
        const words = [...reference.repo.split("/"), ...reference.revision.split("/")];
        const isPlain = words.every((word) => /^[^\\:\0]+$/.test(word) && !/^\.+$/.test(word));
        expect(isPlain && reference.repo.split("/").length === 2).toBe(true);
      }),
    );
  });

  test("reads back what formatHubUri writes", () => {
    for (const uri of ["hf://o/n", "hf://datasets/o/n@v1", "hf://o/n@refs/pr/1"]) {
      expect(formatHubUri(parseHubUri(uri))).toBe(uri);
    }
  });
});

/** The reference, or undefined where the address is refused in the proper way. */
function parsed(uri: string): HubReference | undefined {
  try {
    return parseHubUri(uri);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
