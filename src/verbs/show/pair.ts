import type { Excerpt, PairText } from "../../pairs/pair-text.ts";
import type { PairPlace } from "../../ranking/pair-places.ts";
import { number } from "../../util/figures.ts";
import {
  type Column,
  harmlessLines,
  type Lines,
  linesOf,
  printable,
  tableOf,
  textOf,
  wrapLine,
} from "../../util/text-table.ts";
import type { PairReason, ShownPair } from "../show.ts";

/** Columns of a terminal that text is broken to, without its indent. */
const WIDTH = 96;
/** Lines of one text, at most: with the default length a pair stays on one screen. */
const LINES_PER_TEXT = 7;
const SEVERAL = 12;

/** What `culprit show` prints. */
export function formatPair({
  id,
  source,
  places,
  text,
  beside = [],
  textMissing,
  why,
}: ShownPair): string {
  const shown = places.slice(0, SEVERAL);
  const left = places.length - shown.length;
  return textOf(
    `pair ${printable(id)}${source === undefined ? "" : `, source ${printable(source)}`}`,
    placeLines(shown),
    left > 0 && `… and ${left} more rankings; --json has them all`,
    why && ["", reasonLines(why)],
    text && textLines(text),
    beside.length > 0 && [
      "",
      `the row says more, not shown here: ${beside.map((name) => printable(name)).join(", ")}`,
    ],
    textMissing !== undefined && [
      "",
      `no text: ${printable(textMissing, 300)}; --pairs names the files`,
    ],
  );
}

function placeLines(places: readonly PairPlace[]): readonly string[] {
  const has = (part: keyof PairPlace): boolean => places.some((each) => each[part] !== undefined);
  const name = (heading: keyof PairPlace): Column<PairPlace>[] =>
    has(heading)
      ? [
          [
            heading,
            (each) => (each[heading] === undefined ? undefined : printable(`${each[heading]}`)),
          ],
        ]
      : [];
  return tableOf(places, [
    ...name("method"),
    ...name("behavior"),
    ...name("layer"),
    ["score", ({ score }) => (score === undefined ? undefined : number(score))],
    ["rank", ({ rank, scored }) => (rank > scored ? undefined : `${rank} of ${scored}`)],
    ["percentile", ({ percentile }) => percentile?.toFixed(2)],
  ]);
}

function reasonLines({ behavior, layer, norm, cosine, scenarios }: PairReason): Lines {
  const where = `behavior "${printable(behavior)}", layer ${layer}`;
  if (cosine === undefined) return `${where}: the pair's vector has length zero, and no direction`;
  return [
    `${where}: cosine ${number(cosine)} with its direction, |v_d| ${number(norm)}`,
    tableOf(scenarios, [
      ["nearest scenario", ({ id }) => printable(id)],
      ["cosine", (each) => number(each.cosine)],
    ]),
  ];
}

function textLines({ prompt, earlierTurns, chosen, rejected }: PairText): Lines {
  const earlier = earlierTurns === 0 ? "" : `, the last of ${earlierTurns + 1} turns`;
  return [
    ["", `prompt${earlier}:`, wrappedLines(prompt)],
    ["chosen:", wrappedLines(chosen)],
    ["rejected:", wrappedLines(rejected)],
  ];
}

/** Lines that only show something, and how much is left out. */
function wrappedLines({ text, before, after }: Excerpt): readonly string[] {
  const lines = harmlessLines(`${before > 0 ? "…" : ""}${text}`).flatMap((line) =>
    wrapLine(line, WIDTH),
  );
  const shown = lines.slice(0, LINES_PER_TEXT);
  const hidden = lines.slice(LINES_PER_TEXT).reduce((sum, line) => sum + line.length, after);
  return linesOf([shown, hidden > 0 && `… ${hidden} more characters`]).map((line) => `  ${line}`);
}
