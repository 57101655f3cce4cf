import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { makeTinyCheckpoint } from "../../test/support/tiny-checkpoint.ts";
import { createRenderer } from "../model/prompt-renderer.ts";
import { UnsupportedError } from "../util/errors.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openLocalTrainer } from "./local-trainer.ts";
import type { TrainerSettings } from "./trainer.ts";

const ROOT = suiteFolder();
const TOKENIZERS = fileURLToPath(new URL("../../test/golden/tokenizer/", import.meta.url));
const PROMPT = [{ role: "user", content: "hello" }] as const;
const settings = (adaptation: TrainerSettings["adaptation"]): TrainerSettings => ({
  objective: { kind: "sft" },
  adaptation,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  seed: 1,
});

/** A checkpoint of the tokenizer "chatml" and an adapter to it, without a tokenizer. */
async function checkpointAndAdapter(name: string): Promise<{ dir: string; adapter: string }> {
  const dir = await makeTinyCheckpoint(join(ROOT, name), { config: { vocab_size: 600 } });
  const adapter = join(ROOT, `${name}-adapter`);
  await mkdir(adapter);
  const lora = settings({ kind: "lora", rank: 2, alpha: 4, targets: ["q_proj"] });
  await using trainer = await openLocalTrainer(dir, lora, { threads: 1 });
  await trainer.step([{ prompt: Int32Array.of(3, 4), responses: [Int32Array.of(5, 6)] }], 1e-2);
  await trainer.save(adapter, "F32");
  return { dir, adapter };
}

it("an adapter that brings its own tokenizer and template is used with them", async () => {
  const { dir, adapter } = await checkpointAndAdapter("own");
  const ids = async (): Promise<Int32Array> => {
    await using engine = await openLocalEngine(dir, { adapter, threads: 1 });
    return engine.tokenizePrompt(PROMPT);
  };
  const rendered = async (tokenizer: string): Promise<Int32Array> =>
    (await createRenderer(join(TOKENIZERS, tokenizer))).tokenize(PROMPT, []).prompt;
  expect(await ids()).toEqual(await rendered("chatml"));
  await cp(join(TOKENIZERS, "bars"), adapter, { recursive: true });
  const own = await rendered("bars");
  expect(await ids()).toEqual(own);
  expect(own).not.toEqual(await rendered("chatml"));

  const out = join(ROOT, "own-trained");
  await mkdir(out);
  await using trainer = await openLocalTrainer(dir, settings({ kind: "full" }), { adapter });
  expect(trainer.tokenize(PROMPT, []).prompt).toEqual(own);
  await trainer.save(out, "F32");
  const template = join("bars", "chat_template.jinja");
  expect(await readFile(join(out, "chat_template.jinja"), "utf8")).toBe(
    await readFile(join(TOKENIZERS, template), "utf8"),
  );
});

it("a part of a tokenizer beside an adapter is refused unless it is the checkpoint's", async () => {
  const { dir, adapter } = await checkpointAndAdapter("part");
  const open = async (): Promise<void> => {
    await using _ = await openLocalEngine(dir, { adapter, threads: 1 });
  };
  await cp(join(dir, "tokenizer_config.json"), join(adapter, "tokenizer_config.json"));
  await expect(open()).resolves.toBeUndefined();
  await writeFile(join(adapter, "chat_template.jinja"), "{{ messages[0].content }}");
  const error = await expectFailure(open(), UnsupportedError);
  expect(error.message).toMatch(/brings a chat_template\.jinja of its own and no tokenizer\.json/);
  await rm(join(adapter, "chat_template.jinja"));
  await expect(open()).resolves.toBeUndefined();
});
