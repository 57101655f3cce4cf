import { join } from "node:path";

import { expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import type { MeasuredPair } from "./measure-pairs.ts";
import { readMeasured } from "./read-measured.ts";
import { writeMeasured } from "./write-measured.ts";

const FOLDER = suiteFolder();

const pair = (id: string, columns: MeasuredPair["columns"]): MeasuredPair => ({
  id,
  row: 0,
  prompt: id,
  columns,
  chosenTokens: 4,
  rejectedTokens: 5,
  chosenBefore: -8,
  rejectedBefore: -9,
  chosenDrift: 1,
  rejectedDrift: -1,
  ches: 2,
  chesNormalised: 0.5,
});

async function sourcesBy(by: string | undefined): Promise<readonly unknown[]> {
  const path = join(FOLDER, `by-${by}.parquet`);
  const claimed = [
    pair("a", { source: "north", generator: "finch" }),
    pair("b", { source: null, generator: 7 }),
  ];
  await writeMeasured(path, { claimed, heldOut: [pair("c", { generator: "wren" })], by });
  const found: unknown[] = [];
  for await (const { source } of readMeasured(path)) found.push(source);
  return found;
}

it("writes the column that counts as the source, and nothing for pairs or sides without it", async () => {
  expect(await sourcesBy("source")).toEqual(["north", null, null]);
  expect(await sourcesBy("generator")).toEqual(["finch", "7", "wren"]);
  expect(await sourcesBy(undefined)).toEqual([undefined, undefined, undefined]);
});
