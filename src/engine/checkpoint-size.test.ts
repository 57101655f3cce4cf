import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, it } from "vitest";

import { copyCompanions } from "../model/write-checkpoint.ts";
import { hashCheckpoint } from "./checkpoint-size.ts";

const made: string[] = [];
afterEach(async () => {
  for (const each of made.splice(0)) await rm(each, { recursive: true });
});

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "culprit-hash-"));
  made.push(path);
  return path;
}

it("hashes every chat template of a checkpoint, and copies have the same hash", async () => {
  const [dir, copy] = [await newFolder(), await newFolder()];
  await writeFile(join(dir, "chat_template.jinja"), "plain");
  const without = await hashCheckpoint(dir);
  await mkdir(join(dir, "additional_chat_templates"));
  await writeFile(join(dir, "additional_chat_templates", "tool_use.jinja"), "tools");
  const whole = await hashCheckpoint(dir);
  expect(whole).not.toBe(without);
  await copyCompanions({ tokenizerDir: dir, modelDir: dir }, copy);
  expect(await hashCheckpoint(copy)).toBe(whole);
});
