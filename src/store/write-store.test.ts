import { existsSync } from "node:fs";
import { readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import {
  shardRows,
  SMALL_CHECKPOINT,
  smallManifest,
  writeSmallStore,
} from "../../test/support/small-store.ts";
import { openSafetensors } from "../format/safetensors.ts";
import { openStore } from "./open-store.ts";
import { openStoreForWriting } from "./write-store.ts";

const value = (layer: number, row: number, index: number): number => layer + row / 8 + index / 64;
const manifest = smallManifest();

describe("openStoreForWriting", () => {
  it("writes shards that hold the tensors, ids and columns the format promises", async () => {
    const folder = await temporaryFolder();
    await writeSmallStore(folder, manifest, 5, value);
    await using shard = await openSafetensors(join(folder, "shard-00001.safetensors"));
    const shapes = Object.fromEntries(
      [...shard.tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]),
    );
    expect(shapes).toEqual({
      "layer.1": ["F16", 2, 4],
      "norm.1": ["F32", 2],
      "layer.3": ["F16", 2, 4],
      "norm.3": ["F32", 2],
      tokens: ["I32", 2, 3],
      row: ["I32", 2],
    });
    expect(JSON.parse(shard.metadata["ids"]!)).toEqual(["pair-3", "pair-4"]);
    expect(JSON.parse(shard.metadata["columns"]!)).toEqual({ source: ["source-1", "source-0"] });
    expect((await readdir(folder)).toSorted()).toEqual([
      "complete.json",
      "manifest.json",
      "shard-00000.safetensors",
      "shard-00001.safetensors",
    ]);
  });

  it("goes on after an interruption and ends with the same bytes", async () => {
    const [whole, resumed] = [await temporaryFolder(), await temporaryFolder()];
    await writeSmallStore(whole, manifest, 8, value);
    {
      await using first = await openStoreForWriting(resumed, manifest);
      await first.writeShard(0, shardRows(manifest, 0, 3, value));
    }
    await writeFile(join(resumed, "shard-00001.safetensors.partial"), "half a shard");
    await using second = await openStoreForWriting(resumed, manifest);
    expect([...second.finishedShards]).toEqual([0]);
    expect(second.finishedRows).toBe(3);
    expect(second.completion).toBeUndefined();
    await second.writeShard(1, shardRows(manifest, 3, 3, value));
    await second.writeShard(2, shardRows(manifest, 6, 2, value));
    await second.complete({ "empty-side": 2 });
    for (const name of await readdir(whole)) {
      expect([name, await readFile(join(resumed, name))]).toEqual([
        name,
        await readFile(join(whole, name)),
      ]);
    }
    expect(await readdir(resumed)).not.toContain("shard-00001.safetensors.partial");
  });

  it.each([
    ["layers", { layers: [1, 2] }, /layers \[1,3\], now it is \[1,2\]/],
    ["dtype", { dtype: "F32" as const }, /dtype "F16", now it is "F32"/],
    [
      "checkpoint",
      { checkpoint: { ...SMALL_CHECKPOINT, checkpointHash: "checkpoint-b" } },
      /checkpoint\.checkpointHash "checkpoint-a", now it is "checkpoint-b"/,
    ],
    [
      "pairs",
      { pairs: { ...manifest.pairs, contentHash: "pairs-b" } },
      /made from other preference pairs/,
    ],
  ])("refuses a store made with another %s and names the field", async (_, changes, message) => {
    const folder = await temporaryFolder();
    await writeSmallStore(folder, manifest, 2, value);
    await expect(openStoreForWriting(folder, smallManifest(changes))).rejects.toThrow(message);
    // The refused writer must not stay in the way of the right one.
    await using writer = await openStoreForWriting(folder, manifest);
    expect(writer.completion?.rows).toBe(2);
  });

  it("takes a store under another name of the same checkpoint and the same files", async () => {
    const folder = await temporaryFolder();
    await writeSmallStore(folder, manifest, 2, value);
    const renamed = smallManifest({
      checkpoint: { ...SMALL_CHECKPOINT, name: "elsewhere" },
      pairs: { ...manifest.pairs, files: ["../pairs.jsonl"] },
    });
    await using writer = await openStoreForWriting(folder, renamed);
    expect(writer.finishedRows).toBe(2);
  });

  it("refuses a truncated shard and says how to repair the store", async () => {
    const folder = await temporaryFolder();
    await writeSmallStore(folder, manifest, 5, value);
    const shard = join(folder, "shard-00000.safetensors");
    await truncate(shard, 500);
    const error = await openStoreForWriting(folder, manifest).catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: "FormatError",
      message: expect.stringContaining("shard-00000.safetensors: not a whole shard") as string,
      hint: expect.stringContaining("Delete this shard") as string,
    });
    await rm(shard);
    await using writer = await openStoreForWriting(folder, manifest);
    expect([...writer.finishedShards]).toEqual([1]);
    await writer.writeShard(0, shardRows(manifest, 0, 3, value));
    await writer.complete({});
    expect((await openStore(folder)).rows).toBe(5);
  });

  it("lets only one writer in at a time", async () => {
    const folder = await temporaryFolder();
    {
      await using _first = await openStoreForWriting(folder, manifest);
      await expect(openStoreForWriting(folder, manifest)).rejects.toThrow(
        new RegExp(`process ${process.pid} is writing this store`),
      );
    }
    await using second = await openStoreForWriting(folder, manifest);
    expect(second.finishedRows).toBe(0);
  });

  it("takes over the lock of a process that is gone, but not that of another machine", async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, "writer.lock");
    // No process has a number this high: Linux stops at 2^22.
    await writeFile(lock, JSON.stringify({ pid: 2 ** 30, host: hostname(), token: "x" }));
    await (await openStoreForWriting(folder, manifest))[Symbol.asyncDispose]();
    // Killed containers leave a number that the next process gets again.
    await writeFile(lock, JSON.stringify({ pid: process.pid, host: hostname(), token: "x" }));
    await (await openStoreForWriting(folder, manifest))[Symbol.asyncDispose]();
    await writeFile(lock, JSON.stringify({ pid: 1, host: "another-machine", token: "x" }));
    await expect(openStoreForWriting(folder, manifest)).rejects.toThrow(
      /process 1 on another-machine/,
    );
  });

  it("names layer and pair of a value that half precision cannot hold", async () => {
    await using writer = await openStoreForWriting(await temporaryFolder(), manifest);
    const rows = shardRows(manifest, 0, 3, (layer, row) => (layer === 3 && row === 1 ? 70_000 : 1));
    await expect(writer.writeShard(0, rows)).rejects.toMatchObject({
      name: "RuntimeError",
      message: 'layer 3, pair "pair-1": 70000 does not fit half precision (at most 65504)',
      hint: "Use --dtype F32 and a new store.",
    });
    expect(writer.finishedRows).toBe(0);
  });

  it("names layer and pair of a value that is not finite, in single precision too", async () => {
    const single = smallManifest({ dtype: "F32" });
    await using writer = await openStoreForWriting(await temporaryFolder(), single);
    const rows = shardRows(single, 0, 2, (_, row) => (row === 1 ? Number.NaN : 1e30));
    await expect(writer.writeShard(0, rows)).rejects.toThrow(/layer 1, pair "pair-1".*got NaN/);
  });

  // /dev/full answers every write with "no space left on device".
  it.skipIf(!existsSync("/dev/full"))(
    "leaves nothing of a shard for which the disk is full",
    async () => {
      const folder = await temporaryFolder();
      await using writer = await openStoreForWriting(folder, manifest);
      await symlink("/dev/full", join(folder, "shard-00000.safetensors.partial"));
      const shard = shardRows(manifest, 0, 3, value);
      await expect(writer.writeShard(0, shard)).rejects.toThrow(/the disk is full/);
      expect((await readdir(folder)).toSorted()).toEqual(["manifest.json", "writer.lock"]);
      await writer.writeShard(0, shard);
      expect(writer.finishedRows).toBe(3);
    },
  );

  it("refuses shards in a folder without a manifest", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "shard-00000.safetensors"), "x");
    await expect(openStoreForWriting(folder, manifest)).rejects.toThrow(/without manifest\.json/);
  });
});
