import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** test/golden/tokenizer/suite.json, as make_suite.py writes it. */
export interface TokenizerSuite {
  readonly texts: number;
  readonly block: number;
  /** [first, end) of code points that come one after another, 64 in a text. */
  readonly runs: readonly (readonly [number, number])[];
  /** Texts that were once wrong. */
  readonly cases: readonly string[];
  readonly fragments: readonly string[];
  /** Unicode's general category → ranges of code points. */
  readonly pools: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly models: Readonly<Record<string, SuiteModel>>;
  readonly pipelines: Readonly<Record<string, SuitePipeline>>;
  /** Pipeline → hashes of its blocks, with blanks between. */
  readonly hashes: Readonly<Record<string, string>>;
}

interface SuiteModel {
  readonly type: string;
  readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
}

/** What stands around the model in a tokenizer.json. */
export interface SuitePipeline {
  readonly model: string;
  readonly added: readonly { readonly content: string }[];
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly post_processor?: unknown;
  readonly decoder?: unknown;
  readonly ignore_merges?: boolean;
}

/** Ids, ids with special tokens, both decoded, the second without special tokens. */
export type SuiteRow = readonly [ArrayLike<number>, ArrayLike<number>, string, string];

export async function readTokenizerSuite(): Promise<TokenizerSuite> {
  const file = new URL("../golden/tokenizer/suite.json", import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as TokenizerSuite; // as make_suite.py writes it
}

/** The texts that make_suite.py makes. */
export function suiteTexts({ texts, fragments, pools, runs, cases }: TokenizerSuite): string[] {
  const ranges = Object.values(pools);
  return [
    ...Array.from({ length: texts }, (_, index) => makeText(index, fragments, ranges)),
    ...runs.flatMap(([first, end]) =>
      Array.from({ length: (end - first) / 64 }, (_, index) => makeRun(first + 64 * index)),
    ),
    ...cases,
  ];
}

function makeRun(first: number): string {
  return String.fromCodePoint(...Array.from({ length: 64 }, (_, index) => first + index));
}

function makeText(
  index: number,
  fragments: readonly string[],
  pools: readonly (readonly (readonly [number, number])[])[],
): string {
  let state = (Math.imul(index, 2654435761) + 97) >>> 0;
  // A linear congruential generator on 32 bits, of which the upper 24 count.
  const below = (count: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % count;
  };
  const choose = <T>(from: readonly T[]): T => from[below(from.length)]!; // below its length
  const parts: string[] = [];
  for (let left = 1 + below(12); left > 0; left--) {
    const kind = below(10);
    if (kind < 5) parts.push(choose(fragments));
    else if (kind < 8) {
      const [first, last] = choose(choose(pools));
      parts.push(String.fromCodePoint(first + below(last - first + 1)));
    } else if (kind < 9) {
      const point = below(0x110000 - 0x800);
      parts.push(String.fromCodePoint(point < 0xd800 ? point : point + 0x800));
    } else parts.push(" ");
  }
  return parts.join("");
}

/** The tokenizer.json of a pipeline: its added tokens have the vocabulary's ids, or those after it. */
export function suiteTokenizer(suite: TokenizerSuite, pipeline: SuitePipeline): object {
  const { model: name, added, ignore_merges: ignoreMerges = false, ...parts } = pipeline;
  const model = suite.models[name]!; // each pipeline names one
  const entries = isList(model.vocab)
    ? model.vocab.map(([token], index): [string, number] => [token, index])
    : Object.entries(model.vocab);
  const ids = new Map(entries);
  for (const { content } of added) if (!ids.has(content)) ids.set(content, ids.size);
  return {
    version: "1.0",
    added_tokens: added.map((token) => ({ id: ids.get(token.content), ...token })),
    ...parts,
    model: ignoreMerges ? { ...model, ignore_merges: true } : model,
  };
}

function isList(vocab: SuiteModel["vocab"]): vocab is readonly (readonly [string, number])[] {
  return Array.isArray(vocab);
}

/** The hash of a block, as make_suite.py takes it. */
export function suiteHash(rows: readonly SuiteRow[]): string {
  const hash = createHash("sha256");
  for (const [plain, special, kept, left] of rows) {
    hash.update(
      `${Array.from(plain).join(" ")}\n${Array.from(special).join(" ")}\n${kept}\n${left}\n`,
    );
  }
  return hash.digest("hex").slice(0, 8);
}
