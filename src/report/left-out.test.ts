import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { STORE_COMPLETION } from "../store/vector-store-manifest.ts";
import { describeLeftOut } from "./left-out.ts";
import type { RunFolder } from "./run-folder.ts";

async function runWith(unusable: Record<string, number>): Promise<RunFolder> {
  const stage = await temporaryFolder();
  await mkdir(join(stage, "vectors"));
  const path = join(stage, "vectors", STORE_COMPLETION.name);
  const end = { format: "culprit-vectors-complete", rows: 77, shards: 1, unusable } as const;
  await STORE_COMPLETION.write(path, end);
  const run: Pick<RunFolder, "ofKind" | "stage"> = { ofKind: () => ["embed"], stage: () => stage };
  return run as RunFolder; // no more of it is read
}

it("names rows that have no vector, by reason", async () => {
  expect(await describeLeftOut(await runWith({ "prompt-too-long": 2, "empty-side": 1 }))).toEqual([
    "3 rows of the data have no vector and are not listed (prompt-too-long 2, empty-side 1).",
  ]);
  expect(await describeLeftOut(await runWith({}))).toEqual([]);
});
