import { markPlanted, readPlanted } from "../../ranking/planted.ts";
import { readRankings } from "../../ranking/ranking-file.ts";
import { type RankingQuality, rankingQuality } from "../../ranking/ranking-quality.ts";
import { ConfigError } from "../../util/errors.ts";
import { printable, textTable } from "../../util/text-table.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { onlyPositional, requiredText } from "../required.ts";

export const qualityCommand: Command = {
  name: "quality",
  summary: "How well a ranking finds the pairs that are known to have caused the behaviour",
  positionals: "RANKING",
  description: `
RANKING is a file that culprit rank --out wrote (or any table with columns id and score). Which pairs are planted is known for
model organisms only: --planted names a file of their ids, one {"id"} a line, or the pair file with --planted-column.

Printed for each ranking: AUROC (0.5 by chance), average precision (the share planted by chance), and recall and precision in
the top k, each with its 95% interval (bootstrap, planted and other pairs resampled apart). Pairs without a score rank last.

  culprit quality ranking.parquet --planted planted.jsonl`,
  flags: {
    planted: {
      type: "string",
      value: "FILE",
      describe: 'Ids of the planted pairs, {"id"} a line; or the pairs, with --planted-column.',
    },
    "planted-column": {
      type: "string",
      value: "NAME",
      describe:
        "The column of the pair file that is true for planted pairs. Default: none, the file has ids.",
    },
    top: {
      type: "string",
      value: "LIST",
      multiple: true,
      describe: "Sizes of the top in pairs. Default: the number planted.",
    },
    bootstrap: { type: "string", value: "N", describe: "Bootstrap replicates. Default 1000." },
    seed: { type: "string", value: "N", describe: "Seed of the bootstrap. Default 0." },
  },
  run,
};

interface NamedQuality extends RankingQuality {
  readonly method?: string | undefined;
  readonly behavior?: string | undefined;
  readonly layer?: number | undefined;
  /** Planted pairs that the ranking does not have. */
  readonly absent: number;
}

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const path = onlyPositional(args, "quality", "one ranking");
  const ks = args.list("top").map(parseTop);
  const planted = await readPlanted(
    requiredText(args, "quality", "planted"),
    args.text("planted-column"),
  );
  const options = {
    ...(ks.length === 0 ? {} : { ks }),
    replicates: args.integer("bootstrap", { min: 1, max: 100_000 }) ?? 1000,
    seed: args.integer("seed") ?? 0,
  };
  const found = (await readRankings(path)).map((table): NamedQuality => {
    const { isPlanted, absent } = markPlanted(table.ids, planted);
    const { method, behavior, layer } = table.file;
    const quality = rankingQuality(Float32Array.from(table.scores), isPlanted, options);
    return { method, behavior, layer, absent, ...quality };
  });
  const absent = found[0]?.absent ?? 0;
  if (absent > 0) {
    context.warn(`${absent} of ${planted.size} planted pairs are not in the ranking`);
  }
  context.print(args.has("json") ? JSON.stringify(found, undefined, 2) : formatQuality(found));
}

function formatQuality(found: readonly NamedQuality[]): string {
  const [first] = found;
  if (first === undefined) return "no ranking";
  const names = found.map(({ method, behavior, layer }) =>
    [method, behavior, layer && `layer ${layer}`].filter((part) => part !== undefined).join(", "),
  );
  const estimate = ({ value, low, high }: RankingQuality["auroc"]): string =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  return [
    `${first.planted} of ${first.pairs} pairs are planted (${((100 * first.planted) / first.pairs).toFixed(1)}%)`,
    ...textTable([
      [
        "ranking",
        "unscored",
        "AUROC [95%]",
        "average precision [95%]",
        ...first.at.flatMap(({ k }) => [`recall at ${k} [95%]`, `precision at ${k} [95%]`]),
      ],
      ...found.map((each, i) => [
        printable(names[i] === "" ? "ranking" : names[i]!),
        `${each.unscored}`,
        estimate(each.auroc),
        estimate(each.averagePrecision),
        ...each.at.flatMap(({ recall, precision }) => [estimate(recall), estimate(precision)]),
      ]),
    ]),
  ].join("\n");
}

function parseTop(word: string): number {
  const k = Number(word);
  if (Number.isSafeInteger(k) && k > 0) return k;
  throw new ConfigError(`--top: expected numbers of pairs, got "${word}"`);
}
