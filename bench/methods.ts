/**
 * @file Attribution methods on planted truth and by retraining, in several worlds of the organism "distractor": the tables of docs/methods.md.
 *
 *   npm run build
 *   npx tsx bench/methods.ts WORK --worlds 0,1,2
 *
 * World 0 is the one that ships; the others are made first (npx tsx organisms/distractor/make.ts --seed N). WORK keeps everything: a run
 * that was ended goes on where it was. bench/methods.yaml is the experiment. About a quarter of an hour for a world on two cores.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { RESULT } from "../src/index.ts";
import { RUN } from "../src/runs/run-manifest.ts";

const ROOT = join(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { worlds: { type: "string", default: "0,1,2" } },
});
/** They read texts, or ask the checkpoint while they rank. */
const NO_VECTORS: ReadonlySet<string> = new Set([
  "embedding",
  "loss-diff",
  "projection-difference",
  "steered-likelihood",
  "ches",
  "length",
  "random",
]);
const [work] = positionals;
if (work === undefined) throw new Error("methods: expected a folder to work in");
const worlds = values.worlds.split(",").map(Number);

for (const world of worlds) run(world);
for (const world of worlds) await printWorld(world);

function run(world: number): void {
  const folder = folderOf(world);
  const organism = join(folder, "organism");
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(organism, "checkpoint", "model.safetensors"))) {
    if (world === 0) cpSync(join(ROOT, "organisms/distractor"), organism, { recursive: true });
    else
      call("npx", ["tsx", "organisms/distractor/make.ts", "--out", organism, "--seed", `${world}`]);
  }
  cpSync(join(ROOT, "bench/methods.yaml"), join(folder, "methods.yaml"));
  const words = ["run", join(folder, "methods.yaml"), "--out", join(folder, "run"), "--quiet"];
  call("node", ["dist/cli/main.js", ...words]);
}

function call(program: string, words: readonly string[]): void {
  execFileSync(program, words, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

function folderOf(world: number): string {
  return join(work!, `world-${world}`);
}

async function printWorld(world: number): Promise<void> {
  const folder = join(folderOf(world), "run");
  const { methods, edits, evaluation } = await RESULT.read(join(folder, RESULT.name));
  const { stages } = await RUN.read(join(folder, RUN.name));
  const secondsOf = (id: string): number =>
    stages.find((stage) => stage.id === id)?.cost?.seconds ?? 0;
  const arms = evaluation!.variants[0]!.arms;
  const rateOf = (arm: string | undefined): string => {
    const found = arms.find((each) => each.arm === arm)?.rate;
    if (found?.rate === undefined) return "";
    const { rate, low = NaN, high = NaN } = found;
    return `${percent(rate)} [${percent(low)}, ${percent(high)}]`;
  };
  print(`\nWorld ${world}: without an edit ${rateOf(evaluation!.baseline)}.\n`);
  print(
    row([
      "method",
      "AUROC",
      "average precision",
      "recall at k",
      "rate left",
      "random control",
      "vectors, s",
      "ranking, s",
    ]),
  );
  print(row(Array.from({ length: 8 }, () => "---")));
  for (const { name, stage, quality } of methods) {
    const edit = edits.find(({ method, pick }) => method === name && pick === "chosen");
    const features = name.startsWith("influence")
      ? "-influence"
      : name === "gradient"
        ? "-gradient"
        : "";
    const reads = NO_VECTORS.has(name) ? 0 : 1;
    const vectors = reads * (secondsOf(`embed${features}`) + secondsOf(`behavior${features}`));
    print(
      row([
        name,
        interval(quality?.auroc),
        interval(quality?.averagePrecision),
        interval(quality?.at[0]?.recall),
        rateOf(edit?.arm),
        rateOf(edit?.controls?.[0]),
        reads === 0 ? "none" : vectors.toFixed(0),
        secondsOf(stage).toFixed(0),
      ]),
    );
  }
}

function interval(
  of:
    | { value?: number | undefined; low?: number | undefined; high?: number | undefined }
    | undefined,
): string {
  if (of?.value === undefined) return "";
  return `${of.value.toFixed(3)} [${(of.low ?? NaN).toFixed(3)}, ${(of.high ?? NaN).toFixed(3)}]`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

function print(text: string): void {
  process.stdout.write(text);
}
