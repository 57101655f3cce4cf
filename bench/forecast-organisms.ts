/**
 * @file culprit forecast on the organism distractor and its variants, held to what training on each did:
 *
 *   npx tsx bench/forecast-organisms.ts OUT
 *
 * A bank of 32 behaviours (organisms/bank) is made on the checkpoint before, which all four share. Each mix is embedded (states at layer 2, influence features
 * at layer 4, the last), forecast, trained on with the settings of examples/distractor.yaml, and scored by the margins of held-out response
 * pairs: each behaviour by the others, by those of other families, and on the variants by the calibration of the distractor as it is. On the
 * distractor projections of rollouts are forecast too. Gradient features are scored by themselves. Steps that are done are not done again. Some 20 minutes on two idle cores.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Score } from "../src/forecast/forecast-file.ts";
import { SHIFTS } from "../src/forecast/shifts-file.ts";
import {
  behavior,
  embed,
  forecast,
  generate,
  runVerb,
  shifts,
  silentWork,
  train,
} from "../src/index.ts";

const [out = ""] = process.argv.slice(2);
const ORGANISM = "organisms/distractor";
const VARIANTS = ["distractor-hard", "two-behaviours", "label-only"];
const CHECKPOINT = { paths: [join(ORGANISM, "checkpoint")] };
const LAYERS = { states: "2", influence: "4", gradient: "all" } as const;
type Kind = keyof typeof LAYERS;
const FEATURES = ["states", "influence"] as const satisfies readonly Kind[];
/** Printed for each mix; scored.json has all. */
const SHOWN = [
  "combination",
  "influence.product",
  "influence.cosine",
  "states.projection",
  "gradient.product",
  "length",
  "margin",
];
const bank = join(out, "bank");

const say = (line = ""): void => void process.stdout.write(`${line}\n`);
const to = (path: string): ReturnType<typeof silentWork> => ({
  ...silentWork({ out: path }),
  isForced: true,
});
const unlessThere = async (path: string, make: () => Promise<unknown>): Promise<void> => {
  if (!existsSync(path)) await make();
};
const make = (script: string, ...words: string[]): void => {
  execFileSync("npx", ["tsx", script, ...words], { stdio: ["ignore", "ignore", "inherit"] });
};

mkdirSync(out, { recursive: true });
if (!existsSync(bank)) make("organisms/bank/make.ts", "--out", bank);
const names = readdirSync(join(bank, "responses")).map((file) => file.replace(".jsonl", ""));
const fileOf = (features: string, name: string): string =>
  join(out, features, `${name}.safetensors`);
say("| mix | held out | forecast | R² | signs | slope |");
say("|---|---|---|---|---|---|");
for (const features of [...FEATURES, "gradient"] as const) await makeBehaviors(features);
for (const mix of ["distractor", ...VARIANTS]) await runMix(mix);
await scoreProjections();

async function makeBehaviors(features: Kind): Promise<void> {
  mkdirSync(join(out, features), { recursive: true });
  for (const name of names) {
    await unlessThere(fileOf(features, name), () => {
      const settings = behavior.settings.parse({ layers: LAYERS[features], features, name });
      const responses = { paths: [join(bank, "responses", `${name}.jsonl`)] };
      const given = { responses, checkpoint: CHECKPOINT };
      return runVerb(behavior, given, settings, to(fileOf(features, name)));
    });
  }
}

async function embedPairs(pairs: { paths: string[] }, features: Kind, path: string): Promise<void> {
  await unlessThere(path, () => {
    const settings = embed.settings.parse({ layers: LAYERS[features], features });
    return runVerb(embed, { pairs, checkpoint: CHECKPOINT }, settings, to(path));
  });
}

async function runMix(mix: string): Promise<void> {
  const folder = mix === "distractor" ? ORGANISM : join(out, mix, "organism");
  if (!existsSync(folder)) make("organisms/variants/make.ts", mix, "--out", folder);
  const pairs = { paths: [join(folder, "pairs.jsonl.gz")] };
  const at = (name: string): string => join(out, mix, name);
  mkdirSync(join(out, mix), { recursive: true });
  for (const features of FEATURES) await embedPairs(pairs, features, at(features));
  await forecastFrom(
    at,
    FEATURES,
    mix === "distractor" ? undefined : join(out, "distractor/scored.json"),
  );
  await unlessThere(join(at("dpo"), "config.json"), () => {
    const settings = train.settings.parse({
      beta: 3,
      lengthNormalized: true,
      learningRate: 2e-4,
      epochs: 2,
      batchSize: 32,
      seed: 1,
    });
    return runVerb(train, { data: pairs, checkpoint: CHECKPOINT }, settings, to(at("dpo")));
  });
  await unlessThere(at("shifts.json"), () => {
    const responses = names.map((name) => join(bank, "held-out", `${name}.jsonl`));
    const given = { responses: { paths: responses }, trained: { paths: [at("dpo")] } };
    const settings = shifts.settings.parse({});
    return runVerb(shifts, { ...given, checkpoint: CHECKPOINT }, settings, to(at("shifts.json")));
  });
  for (const holdout of ["leave-one-out", "leave-family-out"] as const) {
    const file = holdout === "leave-one-out" ? "scored.json" : "by-family.json";
    report(mix, await score(at("forecast.json"), at("shifts.json"), at(file), { holdout }));
  }
  const perToken = { holdout: "leave-one-out", measure: "per-token" };
  report(
    `${mix}, per token`,
    await score(at("forecast.json"), at("shifts.json"), at("per-token.json"), perToken),
  );
  await scoreGradients(mix, pairs, at);
  if (mix !== "distractor") {
    const given = at("given-forecast.json");
    report(mix, await score(given, at("shifts.json"), at("given-scored.json")));
  }
}

/** Predictors alone, and with the calibration of another mix where there is one. Neither has seen a training. */
async function forecastFrom(
  at: (name: string) => string,
  kinds: readonly Kind[],
  calibrate?: string,
  file = "forecast.json",
): Promise<void> {
  const given = {
    store: { paths: kinds.map(at) },
    behavior: { paths: kinds.flatMap((each) => names.map((name) => fileOf(each, name))) },
  };
  const settings = forecast.settings.parse({});
  await unlessThere(at(file), () => runVerb(forecast, given, settings, to(at(file))));
  if (calibrate === undefined) return;
  const calibrated = { ...given, calibrate: { paths: [calibrate] } };
  await unlessThere(at(`given-${file}`), () =>
    runVerb(forecast, calibrated, settings, to(at(`given-${file}`))),
  );
}

async function score(
  made: string,
  observed: string,
  file: string,
  how: { readonly holdout?: string; readonly measure?: string } = {},
): Promise<Score> {
  const given = { forecast: { paths: [made] }, score: { paths: [observed] } };
  const settings = forecast.settings.parse(how);
  const { score: found } = await runVerb(forecast, given, settings, to(file));
  if (found === undefined) throw new Error("no score");
  return found;
}

function report(mix: string, { holdout, forecasts, measure, behaviors }: Score): void {
  for (const name of SHOWN) {
    const found = forecasts.find((each) => each.name === name);
    if (found === undefined) continue;
    const { r2, signs, slope } = found;
    const interval = ({ value, low = NaN, high = NaN }: NonNullable<typeof r2>): string =>
      `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
    const cells = [
      mix,
      holdout,
      name,
      r2 && interval(r2),
      `${signs.count} of ${signs.of}`,
      slope && interval(slope),
    ];
    say(`| ${cells.map((cell) => cell ?? "").join(" | ")} |`);
  }
  if (measure !== "projection") return;
  const still = behaviors.filter(({ moved }) => !moved).length;
  say(`\n${measure}: ${still} of ${behaviors.length} behaviours have 0 within their interval`);
}

/** By gradients alone. */
async function scoreGradients(
  mix: string,
  pairs: { paths: string[] },
  at: (name: string) => string,
): Promise<void> {
  await embedPairs(pairs, "gradient", at("gradient"));
  const calibration = join(out, "distractor/gradient-leave-one-out.json");
  const isCalibrating = mix === "distractor";
  await forecastFrom(at, ["gradient"], isCalibrating ? undefined : calibration, "gradient.json");
  for (const holdout of ["leave-one-out", "leave-family-out"] as const) {
    const file = at(`gradient-${holdout}.json`);
    report(
      `${mix}, gradients`,
      await score(at("gradient.json"), at("shifts.json"), file, { holdout }),
    );
  }
  if (isCalibrating) return;
  const given = at("given-gradient.json");
  report(`${mix}, gradients`, await score(given, at("shifts.json"), at("gradient-given.json")));
}

/** What rollouts on each behaviour's own prompts show of it, on the distractor. */
async function scoreProjections(): Promise<void> {
  const at = (name: string): string => join(out, "distractor", name);
  const sides = { before: CHECKPOINT, after: { paths: [at("dpo")] } };
  for (const [side, checkpoint] of Object.entries(sides)) {
    await unlessThere(at(`${side}.jsonl`), () => {
      const settings = generate.settings.parse({ rollouts: 4, temperature: 0.7, maxTokens: 24 });
      const prompts = { paths: [join(bank, "prompts.jsonl")] };
      return runVerb(generate, { prompts, checkpoint }, settings, to(at(`${side}.jsonl`)));
    });
  }
  const settings = shifts.settings.parse({ layer: 2, ownPrompts: true });
  const given = {
    behavior: { paths: names.map((name) => fileOf("states", name)) },
    before: { paths: [at("before.jsonl")] },
    after: { paths: [at("after.jsonl")] },
    checkpoint: CHECKPOINT,
  };
  await runVerb(shifts, given, settings, to(at("projections.json")));
  const { behaviors } = await SHIFTS.read(at("projections.json"));
  const small = behaviors.filter(({ projection }) => Math.abs(projection?.shift ?? 0) < 0.01);
  const found = await score(at("forecast.json"), at("projections.json"), at("by-projection.json"));
  say();
  report("distractor", found);
  say(`${small.length} of ${behaviors.length} move by less than 0.01`);
}
