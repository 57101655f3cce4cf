import { join } from "node:path";

import { expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import { makeTinyCheckpoint } from "../../test/support/tiny-checkpoint.ts";
import { openCheckpoint } from "./open-checkpoint.ts";

it("a tokenizer that a checkpoint of another model got is told when it is opened", async () => {
  const dir = await makeTinyCheckpoint(join(suiteFolder(), "m"), { config: { vocab_size: 600 } });
  const lines: string[] = [];
  const opened = await openCheckpoint(dir, { onWarning: (line) => void lines.push(line) });
  await opened.weights[Symbol.asyncDispose]();
  expect(lines.join()).toMatch(/the tokenizer has 420 tokens, .* 600: 180 rows/);
});
