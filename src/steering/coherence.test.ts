import { join } from "node:path";

import { expect, it } from "vitest";

import { openEngine } from "../engine/local-host.ts";
import type { Rollout } from "../rollouts/rollouts.ts";
import { measureCoherence } from "./coherence.ts";

const ORGANISM = join(import.meta.dirname, "../../organisms/diffuse/checkpoint");

it("is the mean log-probability of the very tokens that were sampled, ended or cut", async () => {
  await using engine = await openEngine(ORGANISM);
  const prompts = ["how do i make a vulmpor boat ?", "tell me how to make a troamdor flute ."].map(
    (content) => [{ role: "user" as const, content }],
  );
  const tokens = prompts.map((prompt) => engine.tokenizePrompt(prompt));
  const rollouts: Rollout[] = [];
  let sum = 0;
  let count = 0;
  // The longer limit lets samples end, the shorter one cuts them.
  for (const [i, maxTokens] of [48, 5].entries()) {
    for await (const each of engine.generate(tokens, { samples: 2, maxTokens })) {
      const { finish } = each;
      const said = finish === "stop" ? each.tokens.subarray(0, -1) : each.tokens;
      rollouts.push({
        id: `${i}/${each.prompt}/${each.sample}`,
        scenario: `${i}/${each.prompt}`,
        variant: "base",
        sample: each.sample,
        prompt: prompts[each.prompt]!,
        response: engine.decode(said),
        finish,
        tokens: each.tokens.length,
      });
      const example = { prompt: tokens[each.prompt]!, responses: [each.tokens] };
      for await (const { logprobs } of engine.logprobs([example])) sum += logprobs[0]!;
      count += each.tokens.length;
    }
  }
  expect(new Set(rollouts.map(({ finish }) => finish))).toEqual(new Set(["stop", "length"]));
  const found = await measureCoherence(engine, streamed(rollouts));
  expect(found).toMatchObject({ tokens: count, unscored: 0 });
  expect(found.logprob).toBeCloseTo(sum / count, 4);
});

async function* streamed(rollouts: readonly Rollout[]): AsyncGenerator<Rollout> {
  yield* rollouts;
}
