/** The golden checkpoints of test/golden/checkpoints, and the token ids of the pairs of test/golden/gradients. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Engine, TokenizedExample } from "../../src/engine/engine.ts";
import { openSafetensors } from "../../src/format/safetensors.ts";
import { openEngine } from "../../src/index.ts";
import { writePlainTokenizer } from "./plain-tokenizer.ts";

const ROOT = fileURLToPath(new URL("../golden/", import.meta.url));

/** Opens a copy of the checkpoint in `folder`. */
export async function openGolden(name: string, folder: string): Promise<Engine> {
  const dir = join(folder, name);
  await cp(`${ROOT}checkpoints/${name}`, dir, { recursive: true });
  // Only there because an engine has a tokenizer; the token ids come from the golden file.
  await writePlainTokenizer(dir, 64);
  return openEngine(dir, { threads: 1 });
}

/** Three pairs as token ids, chosen and rejected behind their prompt. */
export async function examplesOf(name: string): Promise<TokenizedExample[]> {
  await using file = await openSafetensors(`${ROOT}gradients/${name}.safetensors`);
  const ids = async (part: string): Promise<Int32Array> =>
    new Int32Array((await file.readBytes(part)).slice().buffer);
  // Awaited here: the file is closed where this function ends.
  return await Promise.all(
    [0, 1, 2].map(async (i) => ({
      prompt: await ids(`pair.${i}.prompt`),
      responses: [await ids(`pair.${i}.chosen`), await ids(`pair.${i}.rejected`)],
    })),
  );
}
