import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { jsonArtifact } from "./artifact.ts";
import { FormatError } from "./errors.ts";

const QUALITY = jsonArtifact(
  "quality.json",
  "the quality of a ranking",
  z.strictObject({ auroc: z.number() }),
);

test("a JSON artefact is read back as it was written", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "culprit-")), QUALITY.name);
  await QUALITY.write(path, { auroc: 0.5 });
  expect(await readFile(path, "utf8")).toBe('{\n  "auroc": 0.5\n}\n');
  expect(await QUALITY.read(path)).toEqual({ auroc: 0.5 });
});

test("a JSON artefact is read in the order in which it was written, and not found where it is not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "culprit-"));
  const rates = jsonArtifact(
    "rates.json",
    "rates",
    z.strictObject({ a: z.number(), b: z.number().optional() }),
    { indent: 0 },
  );
  const path = join(folder, rates.name);
  expect(await rates.find(path)).toBeUndefined();
  await rates.write(path, { b: 1, a: 2 });
  expect(await readFile(path, "utf8")).toBe('{"b":1,"a":2}\n');
  expect(Object.keys((await rates.find(path))!)).toEqual(["b", "a"]);
});

test.each([
  ['{"auroc": 0.', "not JSON"],
  ['{"auroc": "high"}', "auroc"],
  ['{"auroc": 0.5, "recall": 1}', "recall"],
  ['{"auroc": 0.5,\n "auroc": 0.6}', ", line 2: expected each key of an object once"],
])("a JSON artefact that holds %s is an error that names the file", async (text, part) => {
  const path = join(await mkdtemp(join(tmpdir(), "culprit-")), QUALITY.name);
  await writeFile(path, text);
  const error: unknown = await QUALITY.read(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FormatError);
  expect((error as FormatError).message).toMatch(path);
  expect((error as FormatError).message).toMatch(part);
});
