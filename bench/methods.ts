/**
 * @file Attribution methods on planted truth and by retraining, on the organisms whose truth is known: the tables of docs/methods.md.
 *
 *   npm run build
 *   npm run bench:methods -- WORK [--organisms distractor,distractor-hard] [--worlds 0,1,2] [--methods probe,less] [--edits probe] [--seeds 1,2,3]
 *
 *   npm run bench:methods -- WORK --organisms distractor --worlds 0 --methods probe,influence-probe --causal probe,influence-probe
 *
 * --edits retrains without the planted number of pairs at the top of these methods, beside one random set each. --causal does the whole
 * design: filter and swap at --sizes, each beside three random sets and the bottom, and a training on each tenth of the ranking.
 *
 * World 0 is the one that ships; the others are made first (npx tsx organisms/distractor/make.ts --seed N). WORK keeps everything: a run
 * that was ended goes on where it was. Without --edits and --causal nothing is retrained.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { stringify } from "yaml";

import { findMethod } from "../src/attribution/methods/index.ts";
import { RESULT } from "../src/index.ts";
import { hardestControl, placeAmongRandom } from "../src/rates/beside-controls.ts";
import type { ArmRate } from "../src/rates/evaluation.ts";
import type { ExperimentResult } from "../src/runs/result.ts";
import { RUN } from "../src/runs/run-manifest.ts";

const ROOT = join(import.meta.dirname, "..");
/** Uses of methods, by what the tables call them. */
const USES: Readonly<Record<string, object>> = {
  "probe-max": { name: "probe", as: "probe-max", scorer: "bank-max" },
  "influence-max": { name: "influence-probe", as: "influence-max", scorer: "bank-max" },
  "steered-likelihood": { name: "steered-likelihood", per: "token" },
};
const DEFAULT_METHODS =
  "probe,probe-max,influence-probe,influence-max,gradient,concept-influence,tracin,less,embedding,loss-diff,projection-difference,steered-likelihood,ches,length,random";

/** What of an organism's folder an experiment reads; all else is the same for all. */
interface Organism {
  /** Its recipe: the distractor's own, or that of a variant. */
  readonly recipe: string;
  readonly planted: string;
  /** Folder of scenarios and rules, in its own. */
  readonly part?: string;
  /** Response pairs instead of sampled ones, where no variant of a prompt sets the behaviour off. */
  readonly hasResponses?: boolean;
}
const ORGANISMS: Readonly<Record<string, Organism>> = {
  distractor: { recipe: "distractor", planted: "planted" },
  "distractor-hard": { recipe: "distractor-hard", planted: "planted" },
  "two-behaviours": { recipe: "two-behaviours", planted: "planted" },
  "two-behaviours-second": { recipe: "two-behaviours", planted: "planted_refusal", part: "second" },
  "label-only": { recipe: "label-only", planted: "planted", hasResponses: true },
  "multi-turn": { recipe: "multi-turn", planted: "planted" },
};

/** Of the second behaviour there is nothing to find yet, see docs/organisms.md. */
const READY = Object.keys(ORGANISMS).filter((name) => name !== "two-behaviours-second");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    organisms: { type: "string", default: READY.join(",") },
    worlds: { type: "string", default: "0,1,2" },
    methods: { type: "string", default: DEFAULT_METHODS },
    edits: { type: "string", default: "" },
    causal: { type: "string", default: "" },
    sizes: { type: "string", default: "planted,96" },
    seeds: { type: "string", default: "1" },
  },
});
const [given] = positionals;
if (given === undefined) throw new Error("methods: expected a folder to work in");
const work = resolve(given); // experiment files read their paths from where they are
const listOf = (text: string): string[] => text.split(",").filter((each) => each !== "");
const methods = listOf(values.methods);
const edits = listOf(values.edits);
const causal = listOf(values.causal);
const sizes = listOf(values.sizes).map((size) => (size === "planted" ? size : Number(size)));

for (const name of listOf(values.organisms)) {
  const organism = ORGANISMS[name];
  if (organism === undefined) {
    throw new Error(
      `methods: expected organisms of ${Object.keys(ORGANISMS).join(", ")}, got ${name}`,
    );
  }
  for (const world of listOf(values.worlds).map(Number)) {
    run(name, organism, world);
    await printRun(name, world);
  }
}

function run(name: string, organism: Organism, world: number): void {
  const folder = folderOf(name, world);
  const data = makeOrganism(organism.recipe, world);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "methods.yaml");
  writeFileSync(file, stringify(experimentOf(organism, data)));
  const words = ["run", file, "--out", join(folder, "run"), "--quiet"];
  call("node", ["dist/cli/main.js", ...words]);
}

function experimentOf(
  { planted, part = "", hasResponses = false }: Organism,
  data: string,
): object {
  const own = join(data, part);
  const needsRun = methods.some((each) => ["tracin", "less"].includes(each));
  const loss = { beta: 3, lengthNormalized: true, batchSize: 32 };
  return {
    name: "methods",
    checkpoints: { before: join(data, "checkpoint") },
    pairs: { files: [join(data, "pairs.jsonl.gz")], planted },
    train: { ...loss, learningRate: 2e-4, epochs: 2, seeds: listOf(values.seeds).map(Number) },
    ...(needsRun ? { warmup: { ...loss, learningRate: 2e-3, lora: { rank: 8 } } } : {}),
    ...(hasResponses
      ? { responses: join(own, "responses.jsonl") }
      : { probe: { scenarios: join(own, "scenarios.probe.jsonl"), rollouts: 4 } }),
    generate: { temperature: 0.7, maxTokens: 24 },
    judge: { rules: join(own, "rules.yaml") },
    behavior: { name: "the planted behaviour", layers: [2, 3] },
    rank: { layer: 2, methods: methods.map((each) => USES[each] ?? { name: each }) },
    ...(edits.length + causal.length === 0 && hasResponses
      ? {}
      : {
          evaluate: {
            scenarios: join(own, "scenarios.evaluation.jsonl"),
            rollouts: 10,
            variants: [hasResponses ? "base" : "base+distractor"],
            ...(hasResponses ? { trigger: "base" } : {}),
          },
        }),
    edits: [
      ...edits.map((method) => ({ action: "filter", top: "planted", method })),
      ...causal.flatMap((method) => [
        ...["filter", "swap"].map((action) => {
          return { action, top: sizes, method, controls: ["random", "bottom"], draws: 3 };
        }),
        { action: "tenth", method },
      ]),
    ],
  };
}

/** The folder of an organism in a world, made where it is not there. */
function makeOrganism(recipe: string, world: number): string {
  const folder = join(work, "organisms", `${recipe}-${world}`);
  if (existsSync(join(folder, "checkpoint", "model.safetensors"))) return folder;
  if (recipe === "distractor") {
    if (world === 0) cpSync(join(ROOT, "organisms/distractor"), folder, { recursive: true });
    else
      call("npx", ["tsx", "organisms/distractor/make.ts", "--out", folder, "--seed", `${world}`]);
    return folder;
  }
  const distractor = makeOrganism("distractor", world);
  const from = ["--out", folder, "--seed", `${world}`, "--distractor", distractor];
  call("npx", ["tsx", "organisms/variants/make.ts", recipe, ...from]);
  return folder;
}

function call(program: string, words: readonly string[]): void {
  execFileSync(program, words, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

function folderOf(name: string, world: number): string {
  return join(work, `${name}-${world}`);
}

async function printRun(name: string, world: number): Promise<void> {
  const folder = join(folderOf(name, world), "run");
  const result = await RESULT.read(join(folder, RESULT.name));
  const { stages } = await RUN.read(join(folder, RUN.name));
  const secondsOf = (id: string): number =>
    stages.find((stage) => stage.id === id)?.cost?.seconds ?? 0;
  const arms = result.evaluation?.variants[0]?.arms ?? [];
  const rateOf = (arm: string | undefined): string => {
    const found = arms.find((each) => each.arm === arm)?.rate;
    return found?.rate === undefined ? "" : rate(found);
  };
  const baseline = result.evaluation?.baseline;
  const without = baseline === undefined ? "" : `: without an edit ${rateOf(baseline)}`;
  print(`\n${name}, world ${world}${without}.\n\n`);
  const columns = ["method", "AUROC", "average precision", "recall at k", "rate left"];
  print(row([...columns, "random control", "vectors, s", "ranking, s"]));
  print(row(Array.from({ length: 8 }, () => "---")));
  for (const { name: used, stage, quality } of result.methods) {
    const edit = result.edits.find(({ method, pick }) => method === used && pick === "chosen");
    print(
      row([
        used,
        interval(quality?.auroc),
        interval(quality?.averagePrecision),
        interval(quality?.at[0]?.recall),
        rateOf(edit?.arm),
        rateOf(edit?.controls?.[0]),
        vectorSeconds(used, secondsOf),
        secondsOf(stage).toFixed(0),
      ]),
    );
  }
  printCausal(result, arms);
}

/** Every arm of the causal design beside what it is held to. */
function printCausal(result: ExperimentResult, rates: readonly ArmRate[]): void {
  if (causal.length === 0) return;
  const armOf = (name: string): ArmRate | undefined => rates.find(({ arm }) => arm === name);
  print(
    `\n${row(["method", "edit", "rate left", "random sets", "minus the lowest of them", "place", "bottom"])}`,
  );
  print(row(Array.from({ length: 7 }, () => "---")));
  for (const { arm, method = "", action, pick, pairs, controls } of result.edits) {
    const found = armOf(arm);
    if (pick !== "chosen" || action === "tenth" || found === undefined) continue;
    const beside = hardestControl(found, controls);
    const place = placeAmongRandom(found, rates, controls);
    const bottom = armOf(`${arm}-bottom`);
    print(
      row([
        method,
        `${action} ${pairs}`,
        rate(found.rate),
        controls.map((each) => percent(armOf(each)?.rate.rate ?? NaN)).join(", "),
        beside === undefined
          ? ""
          : `${(100 * beside.difference).toFixed(1)} [${(100 * beside.low).toFixed(1)}, ${(100 * beside.high).toFixed(1)}]`,
        place === undefined ? "" : `${place.place} of ${place.of}`,
        bottom === undefined ? "" : rate(bottom.rate),
      ]),
    );
  }
  const places = Array.from({ length: 10 }, (_, i) => i + 1);
  print(`\n${row(["trained on tenth", ...places.map(String), "random"])}`);
  print(row(Array.from({ length: 12 }, () => "---")));
  for (const name of causal) {
    const tenths = result.edits.filter((edit) => edit.action === "tenth" && edit.method === name);
    const cells = tenths.map(({ arm }) => percent(armOf(arm)?.rate.rate ?? NaN));
    print(row([name, ...cells]));
  }
}

/** Of what the method reads: vectors of all pairs and of the behaviour, and a warm-up. */
function vectorSeconds(used: string, secondsOf: (id: string) => number): string {
  const { name } = { name: used, ...USES[used] };
  const { needs, features = "states", behaviorFeatures = features } = findMethod(name);
  if (!needs.includes("store")) return "none";
  const stageOf = (kind: string, of: string): string => (of === "states" ? kind : `${kind}-${of}`);
  const warmup = features === "tracin" || features === "less" ? secondsOf("warmup") : 0;
  const seconds =
    secondsOf(stageOf("embed", features)) + secondsOf(stageOf("behavior", behaviorFeatures));
  return (seconds + warmup).toFixed(0);
}

interface Interval {
  readonly value?: number | undefined;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

function interval(of: Interval | undefined): string {
  if (of?.value === undefined) return "";
  return `${of.value.toFixed(3)} [${(of.low ?? NaN).toFixed(3)}, ${(of.high ?? NaN).toFixed(3)}]`;
}

function rate(found: { rate?: number | undefined } & Interval): string {
  const { rate: value = NaN, low = NaN, high = NaN } = found;
  return `${percent(value)} [${percent(low)}, ${percent(high)}]`;
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
