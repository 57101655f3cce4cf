import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError } from "../../index.ts";
import { parseArguments } from "../arguments.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { ENGINE_FLAGS } from "../engine-flags.ts";
import { PAIR_FLAGS } from "../pair-flags.ts";
import { requiredPositionals, requiredText } from "../required.ts";
import { behaviorCommand } from "./behavior.ts";
import { embedCommand } from "./embed.ts";
import { rankCommand } from "./rank.ts";

export const demoCommand: Command = {
  name: "demo",
  summary: "The main job in one go: embed, behavior and rank on files that you name",
  positionals: "PAIRS...",
  description: `
Runs the three stages with their defaults, each as its own command would, and writes everything into one folder:
  DIR/vectors/                 the datapoint vectors of PAIRS (culprit embed)
  DIR/behavior.safetensors     the behaviour of the response pairs (culprit behavior), with behavior.json
  DIR/ranking.parquet          every pair with its score (culprit rank)

  culprit demo pairs.jsonl.gz --checkpoint ./sft --responses responses.jsonl --layers 20 --out out/

Run again, it goes on where it ended: finished vectors are kept, behaviour and ranking are made anew.`,
  flags: {
    responses: {
      type: "string",
      value: "FILE",
      describe: "Response pairs that show the behaviour; see culprit behavior --help.",
    },
    ...ENGINE_FLAGS,
    layers: {
      type: "string",
      value: "LIST",
      describe: "Layers: numbers and ranges like 8,10-12, or all.",
    },
    out: { type: "string", value: "DIR", describe: "The folder for everything that is written." },
    ...PAIR_FLAGS,
    "max-tokens": {
      type: "string",
      value: "N",
      describe: "Prompt and response together, in tokens; see culprit embed --help.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const patterns = requiredPositionals(args, "demo", "files of preference pairs");
  const out = requiredText(args, "demo", "out");
  const responses = requiredText(args, "demo", "responses");
  if (!existsSync(responses)) throw new ConfigError(`${responses}: no such file for --responses`);
  await mkdir(out, { recursive: true });
  const store = join(out, "vectors");
  const behavior = join(out, "behavior.safetensors");
  const ranking = join(out, "ranking.parquet");
  const given = (flags: readonly string[]): string[] =>
    flags.flatMap((flag) => args.texts(flag).flatMap((word) => [`--${flag}`, word]));
  const engine = [...Object.keys(ENGINE_FLAGS), "layers", "max-tokens"];

  const stage = async (command: Command, words: readonly string[]): Promise<void> => {
    context.log(`== culprit ${command.name} ${words.join(" ")}`);
    await command.run(parseArguments(command, words), context);
  };
  await stage(embedCommand, [
    ...patterns,
    ...given([...engine, ...Object.keys(PAIR_FLAGS)]),
    "--out",
    store,
  ]);
  await stage(behaviorCommand, [responses, ...given(engine), "--out", behavior, "--force"]);
  await stage(rankCommand, [store, "--behavior", behavior, "--out", ranking, "--force"]);
  context.log(
    `Everything is in ${out}: vectors/, behavior.safetensors, behavior.json, ranking.parquet`,
  );
}
