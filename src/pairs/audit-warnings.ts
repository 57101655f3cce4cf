import type { Share } from "../stats/wilson.ts";
import type { AuditReport } from "./audit-report.ts";
import { describeMarks } from "./describe-marks.ts";
import { describeHidden } from "./hidden-counts.ts";
import { describeCutOff } from "./unusable-file.ts";

/** Below this many pairs a share says little. */
const MIN_PAIRS = 30;
/** A source whose longer side wins this often teaches length, whatever else it teaches. */
const LENGTH_RULES = 0.8;
/** Over a whole data set less is enough: every ranking will lean on it. */
const LENGTH_LEANS = 0.65;
/** A model on the same side this often: style of the writer and preference cannot be told apart. */
const ONE_SIDED = 0.9;
/** Shares of rows that are worth a sentence. */
const NOTABLE = 0.01;
const NOTABLE_CUT = 0.05;
/** Sentences about single sources or generators, at most, so that the list stays readable. */
const MAX_EACH = 10;

type Findings = Omit<AuditReport, "warnings" | "membership">;

/** What in an audit looks dangerous for attribution or for training, one plain sentence each. */
export function listWarnings(report: Findings): string[] {
  return [
    ...warnRows(report),
    ...warnDuplicates(report),
    ...warnLengths(report),
    ...warnGenerators(report),
    ...warnTruncation(report),
    ...warnTokens(report),
    ...warnScores(report),
  ];
}

function warnRows({ rows, usable, unusable, unrenderable, refusals, sources }: Findings): string[] {
  const lines: string[] = [];
  lines.push(...describeCutOff(unusable));
  if (usable === 0) return [...lines, "No row is a usable pair."];
  if (unusable.count > rows * NOTABLE) {
    lines.push(
      `${unusable.count} of ${rows} rows (${percent(unusable.count / rows)}) are unusable.`,
    );
  }
  if (unrenderable > 0) {
    lines.push(
      `The checkpoint's chat template refuses ${unrenderable} of ${usable} pairs; they cannot be embedded. It says: ${refusals.map((each) => `${each.name} (${each.pairs} pairs)`).join("; ")}.`,
    );
  }
  const missing = sources.find(({ source }) => source === null);
  if (missing !== undefined && missing.pairs < usable) {
    lines.push(`${missing.pairs} pairs have no source; rankings by source call them (none).`);
  }
  return lines;
}

function warnDuplicates({ duplicates, nearIdentical, usable }: Findings): string[] {
  const lines: string[] = [];
  if (duplicates.contradictions > 0) {
    lines.push(
      `${duplicates.contradictions} pairs of responses occur with contradictory labels (chosen and rejected swapped, ${duplicates.contradictoryRows} rows): they cancel in training and in every mean.`,
    );
  }
  if (duplicates.repeatedPairs > 0) {
    lines.push(
      `${duplicates.repeatedPairs} rows (${percent(duplicates.repeatedPairs / usable)}) repeat an earlier pair exactly, and count again.`,
    );
  }
  if (duplicates.repeatedIds > 0) {
    lines.push(
      `${duplicates.repeatedIds} rows have an id that an earlier row has: they are called ID#2, ID#3, …, and a file that goes by these ids fits the first row alone.`,
    );
  }
  if (nearIdentical.pairs > usable * NOTABLE) {
    lines.push(
      `${nearIdentical.pairs} pairs (${percent(nearIdentical.pairs / usable)}) have near-identical sides (word overlap of at least ${nearIdentical.threshold}): their datapoint vectors are mostly noise.`,
    );
  }
  return lines;
}

function warnLengths({ lengths, sources }: Findings): string[] {
  // In tokens where they were counted: that is what the model sees. In words, code and Chinese would mislead.
  const measured = lengths.find(({ unit }) => unit === "tokens") ?? lengths[0];
  const overall = measured && describeLean(measured.longerChosen, LENGTH_LEANS);
  const leaning = sources.flatMap(({ source, lengths: { longerChosen } }) => {
    const lean = describeLean(longerChosen, LENGTH_RULES);
    return lean === undefined || sources.length === 1 ? [] : [`Source ${name(source)}: ${lean}.`];
  });
  return [
    ...(overall === undefined
      ? []
      : [`Over all pairs ${overall}: check every ranking against length.`]),
    ...atMost(leaning),
  ];
}

function warnGenerators({ generators }: Findings): string[] {
  return atMost(
    generators.flatMap(({ generator, wins }) => {
      if (wins.of < MIN_PAIRS || wins.share === undefined) return [];
      if (wins.share > 1 - ONE_SIDED && wins.share < ONE_SIDED) return [];
      const side = wins.share >= ONE_SIDED ? "chosen" : "rejected";
      const share = side === "chosen" ? wins.share : 1 - wins.share;
      return [
        `Generator ${name(generator)} wrote the ${side} side in ${percent(share)} of its ${wins.of} comparisons: its style and the preference cannot be told apart.`,
      ];
    }),
  );
}

function warnTruncation({ truncation }: Findings): string[] {
  if (truncation === undefined) return [];
  const { promptTooLong, responseCut, maxTokens, basis } = truncation;
  const about = basis === "estimate" ? "an estimated " : "";
  const lines: string[] = [];
  if (promptTooLong.count > 0) {
    lines.push(
      `With ${maxTokens} tokens ${about}${promptTooLong.count} prompts (${percent(promptTooLong.share)}) leave no room for a response; those pairs become unusable.`,
    );
  }
  if ((responseCut.share ?? 0) > NOTABLE_CUT) {
    lines.push(
      `With ${maxTokens} tokens ${about}${responseCut.count} pairs (${percent(responseCut.share)}) have a response cut.`,
    );
  }
  return lines;
}

function warnTokens({ tokens, beside, usable }: Findings): string[] {
  const lines: string[] = [];
  const names = (counts: readonly { readonly name: string; readonly pairs: number }[]): string =>
    counts.map((each) => `${each.name} ${each.pairs}`).join(", ");
  if (tokens === undefined) {
    if (beside.said.length === 0) return [];
    return [
      `Rows say more than roles and texts (${names(beside.said)} pairs): give --checkpoint to see whether its template shows it.`,
    ];
  }
  if (tokens.unreadPairs > 0) {
    lines.push(
      `${tokens.unreadPairs} pairs say what the chat template does not show (${names(tokens.unread)} pairs): they are unusable, or taken without it with --ignore-unread.`,
    );
  }
  if (tokens.merged > 0) {
    lines.push(
      `In ${tokens.merged} pairs (${percent(tokens.merged / tokens.pairs)}) the end of the prompt has other tokens once a response follows, ${(tokens.lostPromptTokens / tokens.merged).toFixed(1)} tokens on average: their responses begin before it. --boundary text cuts the text instead.`,
    );
  }
  return [
    ...lines,
    ...describeHidden(tokens.hidden, usable),
    ...describeMarks(tokens.marked, usable),
  ];
}

function warnScores({ scores }: Findings): string[] {
  return scores.flatMap(({ chosen, rejected, pairs, ties, lower }) => {
    // Of some scores less is better.
    const fewer = Math.min(lower, pairs - ties - lower);
    return ties + fewer === 0
      ? []
      : [
          `${name(chosen)} and ${name(rejected)} are equal in ${ties} of ${pairs} pairs (${percent(ties / pairs)}) and the other way round than in most in ${fewer}: those preferences are chance, or their labels are swapped.`,
        ];
  });
}

/** "the longer response is chosen in 84% [80%, 87%] of 512 pairs", where that is too often, or too rarely. */
function describeLean(share: Share, limit: number): string | undefined {
  if (share.of < MIN_PAIRS || share.share === undefined) return undefined;
  const isShorter = share.share < 0.5;
  const [mean, low, high] = isShorter
    ? [1 - share.share, 1 - share.high!, 1 - share.low!]
    : [share.share, share.low!, share.high!];
  if (mean < limit) return undefined;
  return `the ${isShorter ? "shorter" : "longer"} response is chosen in ${percent(mean)} [${percent(low)}, ${percent(high)}] of ${share.of} pairs`;
}

function atMost(lines: string[]): string[] {
  return lines.length <= MAX_EACH
    ? lines
    : [...lines.slice(0, MAX_EACH), `… and ${lines.length - MAX_EACH} more like this.`];
}

function name(value: string | null): string {
  return value === null ? "(none)" : JSON.stringify(value);
}

function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)}%`;
}
