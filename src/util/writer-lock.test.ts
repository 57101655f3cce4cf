import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { isBeingWritten, lockForWriting } from "./writer-lock.ts";

const MODULE = pathToFileURL(join(import.meta.dirname, "writer-lock.ts")).href;

/** Takes the lock in a process of its own, which is killed between writing the lock and giving it its name. */
async function killWhileTaking(folder: string): Promise<readonly string[]> {
  const script = `import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
    fs.promises.link = () => process.kill(process.pid, "SIGKILL"); syncBuiltinESMExports();
    const { lockForWriting } = await import(${JSON.stringify(MODULE)}); await lockForWriting(${JSON.stringify(folder)});`;
  const flags = ["--import", "tsx", "--input-type=module", "-e", script];
  await once(spawn(process.execPath, flags, { stdio: "ignore" }), "exit");
  return readdir(folder);
}

test("what a process left that was killed while it took the lock is cleared up by the next one", async () => {
  const folder = await temporaryFolder();
  const left = await killWhileTaking(folder);
  expect(left).toEqual([expect.stringMatching(/^writer\.lock\.[0-9a-f]{8}\.\d+\./)]);
  {
    await using _ = await lockForWriting(folder);
    expect(await readdir(folder)).toEqual(["writer.lock"]);
  }
  expect(await readdir(folder)).toEqual([]);
});

test("a folder is being written while its lock is held by a process that is there", async () => {
  const folder = await temporaryFolder();
  expect(await isBeingWritten(folder)).toBe(false);
  {
    await using _ = await lockForWriting(folder);
    expect(await isBeingWritten(folder)).toBe(true);
  }
  expect(await isBeingWritten(folder)).toBe(false);
  const lock = { pid: 2 ** 22 + 1, host: hostname(), token: "" }; // above every number of a process
  await writeFile(join(folder, "writer.lock"), JSON.stringify(lock));
  expect(await isBeingWritten(folder)).toBe(false);
});
