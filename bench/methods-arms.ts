/**
 * @file What is left of the behaviour after training without the top of each method, over all worlds that bench/methods.ts has run.
 *
 *   npx tsx bench/methods-arms.ts WORK [--against probe]
 *
 * WORK is the folder of bench/methods.ts with --edits. Of each organism: the mean over its worlds of the rate left by each method's filter, and
 * of the difference from that of --against, with a 95% interval by squares added up (Newcombe, Statistics in Medicine 1998, method 10): for
 * a mean of n differences a − b it is the mean ± √Σ (far side of a)² + (near side of b)² ÷ n. Prompts are the chance in it; worlds and training
 * seeds are taken as they are, and that both arms answer the same prompts is not made use of, which only widens it.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { RESULT } from "../src/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { against: { type: "string", default: "probe" } },
});
const [work] = positionals;
if (work === undefined) throw new Error("usage: npx tsx bench/methods-arms.ts WORK");
const { against } = values;

interface Rate {
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}
interface World {
  readonly world: string;
  readonly baseline: Rate;
  readonly left: ReadonlyMap<string, Rate>;
}

const organisms = new Map<string, World[]>();
for (const name of readdirSync(work).toSorted()) {
  const [, organism, world] = /^(.+)-(\d+)$/.exec(name) ?? [];
  const folder = join(work, name, "run");
  if (organism === undefined || !existsSync(join(folder, RESULT.name))) continue;
  const result = await RESULT.read(join(folder, RESULT.name));
  const arms = result.evaluation?.variants[0]?.arms ?? [];
  const rateOf = (arm: string | undefined): Rate | undefined => {
    const found = arms.find((each) => each.arm === arm)?.rate;
    const { rate, low, high } = found ?? {};
    return rate === undefined || low === undefined || high === undefined
      ? undefined
      : { rate, low, high };
  };
  const baseline = rateOf(result.evaluation?.baseline);
  const left = new Map<string, Rate>();
  for (const { method, pick, arm } of result.edits) {
    const rate = rateOf(arm);
    if (method !== undefined && pick === "chosen" && rate !== undefined) left.set(method, rate);
  }
  if (baseline === undefined || left.size === 0) continue;
  organisms.set(organism, [...(organisms.get(organism) ?? []), { world: world!, baseline, left }]);
}

const methods = [
  ...new Set(
    [...organisms.values()].flatMap((worlds) => worlds.flatMap(({ left }) => [...left.keys()])),
  ),
];
const others = methods.filter((each) => each !== against);
const mean = (list: readonly number[]): number =>
  list.reduce((sum, each) => sum + each, 0) / list.length;
const percent = (share: number): string => (100 * share).toFixed(1);
const print = (cells: readonly string[]): void =>
  void process.stdout.write(`| ${cells.join(" | ")} |\n`);

/** The mean difference of two methods over worlds that have both, as `−8.5 [−13.2, −3.9]` in points. */
function difference(worlds: readonly World[], method: string): string {
  const both = worlds.flatMap(({ left }) => {
    const [a, b] = [left.get(method), left.get(against)];
    return a === undefined || b === undefined ? [] : [{ a, b }];
  });
  if (both.length === 0) return "";
  const value = mean(both.map(({ a, b }) => a.rate - b.rate));
  const side = (of: (each: { a: Rate; b: Rate }) => number): number =>
    Math.sqrt(both.reduce((sum, each) => sum + of(each), 0)) / both.length;
  const below = side(({ a, b }) => (a.rate - a.low) ** 2 + (b.high - b.rate) ** 2);
  const above = side(({ a, b }) => (a.high - a.rate) ** 2 + (b.rate - b.low) ** 2);
  const points = (share: number): string => percent(share).replace("-", "−");
  return `${points(value)} [${points(value - below)}, ${points(value + above)}]`;
}

print([
  "organism",
  "worlds",
  "no edit",
  ...methods.map((each) => `\`${each}\``),
  ...others.map((each) => `\`${each}\` − \`${against}\``),
]);
print(Array.from({ length: 3 + methods.length + others.length }, () => "---"));
for (const [organism, worlds] of organisms) {
  const leftBy = (method: string): string => {
    const rates = worlds.flatMap(({ left }) => left.get(method)?.rate ?? []);
    return rates.length === 0 ? "" : `${percent(mean(rates))}%`;
  };
  print([
    organism,
    worlds.map(({ world }) => world).join(", "),
    `${percent(mean(worlds.map(({ baseline }) => baseline.rate)))}%`,
    ...methods.map(leftBy),
    ...others.map((each) => difference(worlds, each)),
  ]);
}
