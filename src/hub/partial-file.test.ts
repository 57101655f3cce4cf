import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  claimPartial,
  discardPartial,
  leftoverBytes,
  parkPartial,
  promotePartial,
} from "./partial-file.ts";

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
let folder: string;
let blob: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "culprit-partial-"));
  blob = join(folder, "b".repeat(40));
});

afterEach(async () => await rm(folder, { recursive: true, force: true }));

async function claimed(): Promise<string> {
  const path = await claimPartial(blob);
  if (path === undefined) throw new Error("expected to get the file");
  return path;
}

describe("claimPartial", () => {
  test("gives a new empty .incomplete file to the first and nothing to the second", async () => {
    const path = await claimed();
    expect(path).toMatch(/\.incomplete$/);
    expect(await readFile(path, "utf8")).toBe("");
    expect(await claimPartial(blob)).toBeUndefined();
  });

  test("hands a parked file with its bytes to the next caller", async () => {
    const first = await claimed();
    await writeFile(first, "half");
    await parkPartial(blob, first);
    expect(await leftoverBytes(blob)).toBe(4);
    expect(await readFile(await claimed(), "utf8")).toBe("half");
    expect(await readdir(folder)).toHaveLength(1);
  });

  test("keeps the longer of two parked files and no empty ones", async () => {
    const empty = await claimed();
    await parkPartial(blob, empty);
    expect(await readdir(folder)).toEqual([]);
    const long = await claimed();
    await writeFile(long, "longer");
    await parkPartial(blob, long);
    const short = `${blob}.culprit-${host}-1-abc.incomplete`;
    await writeFile(short, "x");
    await parkPartial(blob, short);
    expect(await leftoverBytes(blob)).toBe(6);
    expect(await readdir(folder)).toHaveLength(1);
  });

  test("takes over from a process that died without a word", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await writeFile(`${blob}.culprit-${host}-${pid}-abc.incomplete`, "left");
    expect(await readFile(await claimed(), "utf8")).toBe("left");
  });

  test("waits for a live process, but not for one that has been silent for long", async () => {
    const other = `${blob}.culprit-${host}-${process.ppid}-abc.incomplete`;
    await writeFile(other, "theirs");
    expect(await claimPartial(blob)).toBeUndefined();
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(other, anHourAgo, anHourAgo);
    expect(await readFile(await claimed(), "utf8")).toBe("theirs");
  });

  test("judges another machine's file by its age alone", async () => {
    const other = `${blob}.culprit-00000000-1-abc.incomplete`;
    await writeFile(other, "theirs");
    expect(await claimPartial(blob)).toBeUndefined();
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(other, anHourAgo, anHourAgo);
    expect(await readFile(await claimed(), "utf8")).toBe("theirs");
  });

  test("leaves the unfinished files of Python's library alone", async () => {
    await writeFile(`${blob}.incomplete`, "python, old");
    await writeFile(`${blob}.0a1b2c3d.incomplete`, "python, new");
    expect(await readFile(await claimed(), "utf8")).toBe("");
    expect(await readdir(folder)).toHaveLength(3);
  });

  test("gives a leftover to one of many who ask at once", async () => {
    const first = await claimed();
    await writeFile(first, "half");
    await parkPartial(blob, first);
    const paths = await Promise.all(
      Array.from({ length: 8 }, async () => await claimPartial(blob)),
    );
    const [path, ...others] = paths.filter((each) => each !== undefined);
    expect(others).toEqual([]);
    expect(await readFile(path!, "utf8")).toBe("half");
  });
});

test("a promoted file is the blob and a discarded one is gone", async () => {
  const good = await claimed();
  await writeFile(good, "whole");
  await promotePartial(blob, good);
  expect(await readFile(blob, "utf8")).toBe("whole");
  await discardPartial(blob, await claimed());
  expect(await readdir(folder)).toEqual(["b".repeat(40)]);
});
