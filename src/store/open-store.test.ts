import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { shardRows, smallManifest, writeSmallStore } from "../../test/support/small-store.ts";
import { float16ToFloat32 } from "../util/float16.ts";
import { openStore } from "./open-store.ts";
import { readStoreTable } from "./read-shard.ts";
import { readStoreNorms, streamBlocks } from "./stream-blocks.ts";
import { openStoreForWriting } from "./write-store.ts";

/** Exact in half precision. */
const value = (layer: number, row: number, index: number): number => layer + row / 8 + index / 64;
const manifest = smallManifest();

async function smallStore(rows = 8): Promise<string> {
  const folder = await temporaryFolder();
  await writeSmallStore(folder, manifest, rows, value);
  return folder;
}

describe("openStore", () => {
  it("gives back the table as it was written", async () => {
    const store = await openStore(await smallStore());
    expect(store).toMatchObject({
      rows: 8,
      completion: { rows: 8, unusable: { "empty-side": 2 } },
    });
    const table = await readStoreTable(store);
    expect(table.ids).toEqual(Array.from({ length: 8 }, (_, row) => `pair-${row}`));
    expect([...table.rows]).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
    expect(table.tokens.slice(-3)).toEqual(Int32Array.of(5, 8, 10));
    expect(table.columns["source"]?.slice(0, 3)).toEqual(["source-0", "source-1", "source-0"]);
  });

  it.each([1, 2, 3, 100])("streams every vector once, in order, %i rows a block", async (rows) => {
    const store = await openStore(await smallStore());
    const buffers = [0, 1, 2].map(() => new Uint8Array(rows * 8));
    const seen: number[] = [];
    for await (const block of streamBlocks(store, 3, buffers)) {
      expect(block.firstRow).toBe(seen.length / 4);
      const words = new Uint16Array(buffers[block.buffer]!.buffer, 0, block.rows * 4);
      seen.push(...float16ToFloat32(words));
    }
    const expected = Array.from({ length: 32 }, (_, i) => value(3, Math.floor(i / 4), i % 4));
    expect(seen).toEqual(expected);
  });

  it("takes norms before rounding", async () => {
    const folder = await temporaryFolder();
    await writeSmallStore(folder, manifest, 4, () => 1.0001); // half precision has 1 here
    const norms = await readStoreNorms(await openStore(folder), 1);
    expect([...norms]).toEqual(Array<number>(4).fill(Math.fround(2.0002)));
  });

  it("closes its files when a reader stops half-way", async () => {
    const store = await openStore(await smallStore());
    for await (const block of streamBlocks(store, 1, [new Uint8Array(8), new Uint8Array(8)])) {
      if (block.firstRow === 2) break;
    }
    await rm(store.directory, { recursive: true });
    await expect(readStoreNorms(store, 1)).rejects.toThrow(/ENOENT/);
  });

  it("refuses an incomplete store unless told otherwise", async () => {
    const folder = await smallStore();
    await rm(join(folder, "complete.json"));
    await expect(openStore(folder)).rejects.toThrow(/incomplete, it holds 8 rows so far/);
    const store = await openStore(folder, { allowIncomplete: true });
    expect([store.rows, store.completion]).toEqual([8, undefined]);
  });

  it("names a missing shard, in the middle and at the end", async () => {
    const folder = await smallStore();
    const shards = [1, 2].map((index) => join(folder, `shard-0000${index}.safetensors`));
    await rm(shards[1]!);
    await expect(openStore(folder)).rejects.toThrow(/shard-00002\.safetensors: .*missing/);
    await rm(shards[0]!);
    await expect(openStore(folder)).rejects.toThrow(/shard-00001\.safetensors: .*missing/);
  });

  it("refuses a shard whose rows are not as many as the others'", async () => {
    const folder = await smallStore();
    const shard = (index: number): string => join(folder, `shard-0000${index}.safetensors`);
    await rename(shard(2), shard(0)); // two rows in place of three
    await writeSmallStore(join(folder, "other"), manifest, 8, value);
    await rename(join(folder, "other", "shard-00002.safetensors"), shard(2));
    await expect(openStore(folder)).rejects.toThrow(/shard-00000.*expected 3 rows, got 2/);
  });

  it("refuses a shard without the tensors that the manifest promises", async () => {
    const folder = await smallStore(3);
    const path = join(folder, "manifest.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"dim": 4', '"dim": 5'));
    await expect(openStore(folder)).rejects.toThrow(
      /tensor "layer\.1": expected F16 \[3, 5\], got F16 \[3, 4\]/,
    );
  });

  it("refuses an id that occurs twice", async () => {
    const folder = await temporaryFolder();
    {
      await using writer = await openStoreForWriting(folder, manifest);
      await writer.writeShard(0, shardRows(manifest, 0, 3, value));
      await writer.writeShard(1, shardRows(manifest, 2, 2, value));
      await writer.complete({});
    }
    const store = await openStore(folder);
    await expect(readStoreTable(store)).rejects.toThrow(/shard-00001.*"pair-2" occurs twice/);
  });

  it("says what it expected where there is no store, or no such layer", async () => {
    await expect(openStore("/nowhere/at/all")).rejects.toThrow(
      /expected a vector store, got no such folder/,
    );
    await expect(openStore(await temporaryFolder())).rejects.toThrow(/without manifest\.json/);
    const store = await openStore(await smallStore());
    await expect(readStoreNorms(store, 2)).rejects.toThrow(/one of the layers 1, 3, got 2/);
  });

  it.each(["", "{", '{"format": "culprit-vectors", "version": 2}'])(
    "refuses the manifest %j",
    async (text) => {
      const folder = await smallStore(3);
      await writeFile(join(folder, "manifest.json"), text);
      await expect(openStore(folder)).rejects.toMatchObject({ name: "FormatError" });
    },
  );
});
