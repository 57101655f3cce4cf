/**
 * @file Every engine of this process keeps the contract; an engine that fails it in one point is seen to. Engines on a cluster are held to
 * it by `npm run test:cluster`.
 */
import { describe, expect, it } from "vitest";

import type { EngineHost } from "../src/engine/engine-host.ts";
import type { Engine } from "../src/engine/engine.ts";
import { ENGINES } from "../src/engine/engines.ts";
import { localHost } from "../src/engine/local-host.ts";
import type { Trainer } from "../src/engine/trainer.ts";
import { ENGINE_CONTRACT } from "./support/engine-contract.ts";

describe.each(ENGINES.filter(({ kind }) => kind !== "ray"))("the engine $kind", (host) => {
  it.each(ENGINE_CONTRACT)("$title", (check) => expect(check.run(host)).resolves.toBeUndefined());
});

/** The local engine with one thing that is not as it should be. */
function broken(change: {
  engine?: (engine: Engine) => void;
  trainer?: (trainer: Trainer) => void;
}): EngineHost {
  return {
    kind: "broken",
    open: async (...args) => {
      const engine = await localHost.open(...args);
      change.engine?.(engine);
      return engine;
    },
    openTrainer: async (...args) => {
      const trainer = await localHost.openTrainer(...args);
      change.trainer?.(trainer);
      return trainer;
    },
  };
}

/** Titles of the checks that an engine fails. */
async function failures(host: EngineHost): Promise<string[]> {
  const failed: string[] = [];
  for (const check of ENGINE_CONTRACT) await check.run(host).catch(() => failed.push(check.title));
  return failed;
}

it("fails an engine whose batches shift what they pool", async () => {
  const host = broken({
    engine: (engine) => {
      const embed = engine.embed.bind(engine);
      engine.embed = async function* (examples, options) {
        for await (const each of embed(examples, options)) {
          // As an engine does that takes one column too many where a batch is padded.
          if (examples.length > 1) each.means[0]![0]! += 0.01;
          yield each;
        }
      };
    },
  });
  expect(await failures(host)).toEqual([
    "embeds a batch of unequal texts as it embeds them one at a time",
    "gives activations of single tokens, whose mean is what it embeds",
  ]);
});

it("fails an engine that loses what it had learned", async () => {
  const host = broken({
    trainer: (trainer) => {
      trainer.loadState = () => Promise.resolve(undefined);
    },
  });
  expect(await failures(host)).toEqual([
    "ends in the same bytes when training is interrupted (full)",
    "ends in the same bytes when training is interrupted (lora)",
    "refuses the state of another training",
  ]);
});
