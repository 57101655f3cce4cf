/**
 * @file Writes a bank of behaviours of the distractor's world, for culprit forecast:
 *
 *   npx tsx organisms/bank/make.ts --out DIR [--seed N]
 *
 * DIR/responses/NAME.jsonl are the response pairs that one behaviour (behaviors.ts) is made of, about every other thing of the world. Of the
 * other things are DIR/held-out/NAME.jsonl, response pairs to measure what training did, and DIR/prompts.jsonl, the same requests to sample
 * from, each tagged with its behaviour's name. Nothing is trained.
 */
import { join } from "node:path";

import { splitWorld } from "../distractor/split-world.ts";
import { writeJsonLines } from "../world/json-lines.ts";
import { readMakeArguments } from "../world/make-arguments.ts";
import type { World } from "../world/world.ts";
import { BEHAVIORS, type Contrast } from "./behaviors.ts";

/** For each behaviour. */
const [PAIRS, HELD_OUT] = [48, 24];
/** The streams of the variants end below this. */
const FIRST_STREAM = 200;

const { out, seed } = readMakeArguments();
const { world, stream } = splitWorld(seed);
const everyOther = (first: 0 | 1): World => {
  const of = <T>(things: readonly T[]): T[] => things.filter((_, i) => i % 2 === first);
  return {
    harmless: of(world.harmless),
    borderline: of(world.borderline),
    forbidden: of(world.forbidden),
  };
};

const prompts: object[] = [];
for (const [b, [name, make]] of Object.entries(BEHAVIORS).entries()) {
  const rng = stream(FIRST_STREAM + b);
  const draw = (count: number, half: 0 | 1): (Contrast & { readonly id: string })[] =>
    Array.from({ length: count }, (_, i) => ({
      id: `${name}-${i + 1}`,
      ...make(rng, everyOther(half)),
    }));
  await writeJsonLines(join(out, "responses", `${name}.jsonl`), draw(PAIRS, 0));
  const heldOut = draw(HELD_OUT, 1);
  await writeJsonLines(join(out, "held-out", `${name}.jsonl`), heldOut);
  prompts.push(...heldOut.map(({ id, prompt }) => ({ id, prompt, tags: [name] })));
}
await writeJsonLines(join(out, "prompts.jsonl"), prompts);
