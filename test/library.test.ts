/** @file What the library exports is little, and each name stands in the reference. */
import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

const read = (path: string): Promise<string> =>
  readFile(new URL(`../${path}`, import.meta.url), "utf8");

it("exports at most 200 names, and the reference lists each of them once and no other", async () => {
  const exported = [...(await read("src/index.ts")).matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, names = ""]) => names.split(","))
    .map((name) => name.replace("type ", "").trim())
    .filter((name) => name !== "");
  const [, table = ""] = /<!-- library -->([^]*)<!-- \/library -->/.exec(
    await read("docs/reference.md"),
  )!;
  const listed = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  expect(exported.length).toBeLessThanOrEqual(200);
  const sorted = (names: readonly string[]): readonly string[] =>
    names.toSorted((a, b) => (a < b ? -1 : 1));
  expect(sorted(listed)).toEqual(sorted(exported));
});
