/** @file Text of a data set in a line each, beneath the pair in a table. */
import type { Excerpt, PairText } from "../../pairs/pair-text.ts";
import { harmlessLines } from "../../util/text-table.ts";

/** Lines of a pair's text: nothing in them can control the terminal, and what is left out is an ellipsis. */
export function excerptLines(text: PairText | undefined): readonly string[] {
  if (text === undefined) return [];
  const { prompt, earlierTurns, chosen, rejected } = text;
  return [
    `  prompt    ${earlierTurns > 0 ? "… " : ""}${oneLine(prompt)}`,
    `  chosen    ${oneLine(chosen)}`,
    `  rejected  ${oneLine(rejected)}`,
  ];
}

const oneLine = ({ text, before, after }: Excerpt): string =>
  `${before > 0 ? "…" : ""}${harmlessLines(text).join(" ")}${after > 0 ? "…" : ""}`;
