import { findRankedFiles, type RankedFiles } from "../../experiment/ranked-files.ts";
import { expandPatterns } from "../../pairs/expand-patterns.ts";
import { ConfigError } from "../../util/errors.ts";
import { show } from "../../verbs/show.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { verbCommand } from "../verb-command.ts";

const command = verbCommand(show);

/** The verb's command, which finds its files in the folder of an experiment where one is named. */
export const showCommand: Command = {
  name: command.name,
  summary: command.summary,
  description: command.description,
  positionals: "PAIR [DIR]",
  get flags() {
    return command.flags;
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const [pair, out, ...others] = args.positionals;
  if (out === undefined) return command.run(args, context);
  if (others.length > 0) {
    throw new ConfigError(
      `show: expected a pair and a folder, got ${args.positionals.length} words`,
    );
  }
  const found = await findRankedFiles(out);
  const words = await wordsOf(found, args, context);
  await command.run({ ...withWords(args, words), positionals: [pair!] }, context); // there is a word before the folder
}

/** What was found as flags; those that were given stand instead. */
async function wordsOf(
  { ranking, store, behavior, layer, pairs }: RankedFiles,
  args: ParsedArguments,
  { warn }: CommandContext,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const words = new Map<string, readonly string[]>([
    ["ranking", [ranking]],
    ["store", [store]],
  ]);
  if (behavior !== undefined) words.set("behavior", [behavior]);
  // Another behaviour than the run's may have other layers.
  if (layer !== undefined && behavior !== undefined && !args.given.includes("behavior")) {
    words.set("layer", [`${layer}`]);
  }
  if (!args.has("no-text") && !args.given.includes("pairs")) {
    const missing = await missingPattern(pairs.files);
    if (missing === undefined) {
      words.set("pairs", pairs.files);
      if (pairs.shape !== undefined) words.set("shape", [pairs.shape]);
      if (pairs.limit !== undefined) words.set("limit", [`${pairs.limit}`]);
    } else warn(missing);
  }
  for (const flag of args.given) words.delete(flag);
  return words;
}

/** Why the pair files of an experiment are not there: it may have been moved, and then the rest can be shown all the same. */
async function missingPattern(files: readonly string[]): Promise<string | undefined> {
  try {
    await expandPatterns(files, (uri) => Promise.resolve([uri]));
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

function withWords(
  args: ParsedArguments,
  words: ReadonlyMap<string, readonly string[]>,
): ParsedArguments {
  return {
    ...args,
    given: [...args.given, ...words.keys()],
    text: (flag) => words.get(flag)?.at(-1) ?? args.text(flag),
    texts: (flag) => words.get(flag) ?? args.texts(flag),
    list: (flag) => words.get(flag) ?? args.list(flag),
  };
}
