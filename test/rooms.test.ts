import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { ROOMS } from "../rooms.ts";
import { roomOverrides } from "../scripts/lint-rules.ts";

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);

test("rooms.ts lists every folder of src and no other", () => {
  const folders = readdirSync(at("src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(ROOMS.map(({ name }) => name).toSorted()).toEqual(folders.toSorted());
});

test("the linter's rules are those of rooms.ts", () => {
  const { overrides } = JSON.parse(readFileSync(at(".oxlintrc.json"), "utf8")) as {
    overrides: { files: string[] }[];
  };
  expect(overrides.filter(({ files }) => files.every((file) => file.startsWith("src/")))).toEqual(
    roomOverrides(),
  );
});
