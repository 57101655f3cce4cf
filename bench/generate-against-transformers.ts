/**
 * @file Greedy continuations of a real checkpoint, token by token against transformers' generate.
 *
 *   npx tsx bench/generate-against-transformers.ts --model DIR --python PYTHON [--new-tokens 64] [--threads 2]
 *
 * Ours run all prompts as one batch, transformers one at a time. Where they part, the gap between transformers' two largest logits at
 * that step tells a tie from an error.
 */
import { parseArgs } from "node:util";

import { openEngine } from "../src/index.ts";
import { startTransformers } from "./transformers-server.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    python: { type: "string", default: "python3" },
    "new-tokens": { type: "string", default: "64" },
    threads: { type: "string", default: "2" },
  },
});
if (values.model === undefined) throw new Error("usage: see the head of this file");
const threads = Number(values.threads);
const newTokens = Number(values["new-tokens"]);

const QUESTIONS = [
  "What is the capital of France?",
  "Write a short poem about the sea.",
  "Explain gravity to a child in two sentences.",
  "List five fruits.",
  "How do I boil an egg? Answer in numbered steps.",
  "Translate 'good morning' into Spanish, French and German.",
  "Give me a Python function that reverses a string.",
  "Who are you?",
];

await using engine = await openEngine(values.model, { threads });
using reference = await startTransformers(values.python, values.model, threads);
const prompts = QUESTIONS.map((content) => engine.tokenizePrompt([{ role: "user", content }]));
const ours: number[][] = [];
for await (const { prompt, tokens } of engine.generate(prompts, {
  temperature: 0,
  maxTokens: newTokens,
  stopTokens: [],
})) {
  ours[prompt] = [...tokens];
}
console.log(JSON.stringify(reference.versions));
console.log("| prompt | prompt tokens | equal tokens | smallest gap | gap where they part |");
console.log("|---|---|---|---|---|");
let equal = 0;
for (const [i, prompt] of prompts.entries()) {
  const { tokens, gaps = [] } = await reference.generate({
    prompts: [[...prompt]],
    newTokens,
    sample: false,
    gaps: true,
  });
  const parted = tokens[0]!.findIndex((token, t) => token !== ours[i]![t]);
  equal += parted < 0 ? newTokens : parted;
  console.log(
    `| ${i} | ${prompt.length} | ${parted < 0 ? newTokens : parted} of ${newTokens} | ${Math.min(...gaps).toExponential(1)} | ${parted < 0 ? "" : gaps[parted]!.toExponential(1)} |`,
  );
}
console.log(`\n${equal} of ${prompts.length * newTokens} tokens equal`);
