import { join } from "node:path";

import {
  BEHAVIOR_FILE,
  BEHAVIOR_REPORT,
  type BehaviorReport,
  behaviorReportPath,
  readBehavior,
  type StoredBehavior,
} from "../behavior/behavior-file.ts";
import { describeFeatures } from "../engine/features.ts";
import { newGenerationCounter } from "../engine/generation/generate-options.ts";
import { describeUnapplied } from "../model/generation-config.ts";
import { longestRollouts } from "../rollouts/estimate-rollouts.ts";
import type { Rollout } from "../rollouts/rollouts.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { behaviorDirections } from "../steering/behavior-directions.ts";
import { LAYER_TABLE, type LayerTable, layerTable } from "../steering/layer-table.ts";
import { steer as steerEngine } from "../steering/steer.ts";
import {
  claimSteeringFolder,
  expectSteeringFolder,
  STEERING_REQUEST,
} from "../steering/steering-folder.ts";
import { describeShared } from "../steering/steering-notes.ts";
import { STEERING, type SteeringReport } from "../steering/steering-report.ts";
import { steersTogether, unnamedLayers } from "../steering/steering-target.ts";
import { ConfigError } from "../util/errors.ts";
import { askedSettings, checkpointInput } from "./inputs/checkpoint.ts";
import { behaviorInput } from "./inputs/files.ts";
import { rubricInput, rulesInput } from "./inputs/judges.ts";
import { promptsInput } from "./inputs/prompts.ts";
import { noting } from "./judging/open-asker.ts";
import { judgingContradictions, openJudge } from "./judging/open-judge.ts";
import { answersOutput } from "./outputs.ts";
import { resolveLayers } from "./settings/common.ts";
import {
  steeringContradictions,
  steeringSettings,
  type SteeringSettings,
} from "./settings/steering.ts";
import { budgetUsedUp, describeUsage, type LlmSummary, tooManyUnjudged } from "./show/llm-usage.ts";
import { formatSteering } from "./show/steering.ts";
import { type Contradiction, defineVerb, type Input, need } from "./verb.ts";

/** A behaviour to steer with; the report, where there is one, has what speaks for each layer. */
export interface BehaviorToSteer {
  readonly stored: StoredBehavior;
  readonly report: BehaviorReport | undefined;
  /** What was read. */
  readonly files: readonly string[];
}

/** Reads a behaviour with its report. */
export async function openBehaviorToSteer(path: string): Promise<BehaviorToSteer> {
  const stored = await readBehavior(path);
  if (stored.head.features !== undefined) {
    throw new ConfigError(
      `${path}: expected a behaviour of states, which live in the residual stream, got ${describeFeatures(stored.head.features)}`,
      { hint: "Make one with --features states, culprit behavior's default." },
    );
  }
  return {
    stored,
    report: await BEHAVIOR_REPORT.find(behaviorReportPath(path)),
    files: BEHAVIOR_FILE.files(path),
  };
}

const behaviorToSteer = {
  ...behaviorInput,
  open: ([path = ""]) => openBehaviorToSteer(path),
  files: ({ files }) => files,
} as const satisfies Input<BehaviorToSteer>;

/** What steering did. */
export interface Steered extends SteeringReport {
  /** What speaks for each layer; undefined where steering says nothing of single layers, and without the behaviour's report. */
  readonly layerTable: LayerTable | undefined;
  /** What an LLM took that judged. */
  readonly llm: LlmSummary | undefined;
}

const outputs = {
  out: {
    artifact: {
      name: "steering",
      files: (path: string) => [STEERING.name, LAYER_TABLE.name].map((name) => join(path, name)),
    },
    placeholder: "DIR",
    describe: "The folder for report, rollouts and verdicts.",
    place: "folder",
    isResumable: true,
  },
  answers: answersOutput("judge-answers.jsonl", "LLM", "/judge.answers.jsonl"),
} as const;

export const steer = defineVerb({
  name: "steer",
  summary: "Whether a behaviour's direction causes the behaviour: rates with and without steering",
  about: `
Samples responses while the behaviour's direction is added to the residual stream (--mode add, on the checkpoint
before: does the behaviour appear?) or projected out of it (--mode project-out, on the one after: does it vanish?),
judges them, and compares with unsteered samples and with random directions of the same length. Steered is every
position that a token is sampled from, the first one too. Layer l is the residual stream after l blocks.

Projected out are, unless --project-out-at says otherwise, the directions of all layers of the behaviour at once, each
at its own layer: what is taken out at one layer alone, the blocks behind it may write anew.

A strength of 1 adds the mean difference between after- and before-responses once, whatever the probe. --strength auto
climbs --grid and takes the largest strength at which the sampled text is, under the unsteered checkpoint, at most
--coherence-bound nats per token less likely than unsteered text. The strength is chosen by coherence alone, never by
the rate. Random directions get the same strength.

Printed for each layer: rates with 95% intervals (rollouts of one prompt hang together), missing verdicts, differences
over the same prompts with their p-values (Holm, over layers and variants), and a verdict in words. With --mode add
and the behaviour's JSON report beside it, also what speaks for each layer, and the layer that is chosen with steering
(DIR/${LAYER_TABLE.name}).

DIR/${STEERING.name} is the report; DIR/arms/NAME/ holds all rollouts and verdicts. The same command goes on where a
killed one was, with --force too; another request is refused. With --force, another request and a finished one start over:
report and arms of before are removed first, and no other file. A folder with other things is always refused. The scenarios
should not be those that the behaviour was made from.

  culprit steer scenarios.jsonl --checkpoint ./sft --behavior b.safetensors --mode add --rules compliance --out steer-add
  culprit steer scenarios.jsonl --checkpoint ./dpo --behavior b.safetensors --mode project-out --rules compliance --out steer-out`,
  version: 10,
  inputs: {
    prompts: {
      ...promptsInput,
      placeholder: "SCENARIOS",
      describe: "One file of scenarios or prompts.",
    },
    checkpoint: {
      ...checkpointInput,
      settings: askedSettings,
      describe: "What to steer: a Hugging Face folder, or hf://owner/name@revision.",
    },
    behavior: behaviorToSteer,
    rules: rulesInput,
    rubric: rubricInput,
  },
  settings: steeringSettings,
  check: (settings, given) => [
    ...steeringContradictions(settings),
    ...judgeContradictions(settings, given),
  ],
  outputs,
  force:
    "Remove what another request, or the same one when it had finished, left in --out, and start over. What was killed goes on. With --rubric, ask again about what has no readable answer among those kept.",
  // Responses and verdicts, from which a killed run goes on.
  asides: ["steering/arms", `steering/${STEERING_REQUEST.name}`],
  canResume: true,
  run: async (
    { prompts, checkpoint, behavior, rules, rubric },
    settings,
    work,
  ): Promise<Steered> => {
    const { out, isForced, cost, signal, progress } = work;
    const { layers, otherCheckpoint, rollouts, sampling, judge, ...how } = settings;
    expectSteeringFolder(out.out);
    await using opened = await openJudge({ rules, rubric }, judge, {
      ...work,
      answers: out.answers,
      setting: "judge.endpoint",
    });
    await using engine = await checkpoint.open();
    for (const line of describeUnapplied(engine.unapplied)) work.warn(line);
    if (typeof how.projectOutAt === "object") {
      resolveLayers(how.projectOutAt, engine.identity.layerCount, "projectOutAt");
    }
    const { stored, report: known } = behavior;
    const request = {
      ...how,
      prompts,
      judge: opened.judge,
      madeFrom: stored.scenarioIds,
      directions: behaviorDirections(stored, engine.identity, {
        mode: how.mode,
        layers: layers === "all" ? stored.layers : (layers ?? unnamedLayers(how, stored)),
        otherCheckpoint,
      }),
    };
    const { stop = [], ...sampled } = sampling;
    const options = {
      samples: rollouts,
      ...sampled,
      out: out.out,
      stopTokens: [...engine.stopTokens, ...stop.map((text) => engine.tokenId(text))],
      signal,
      progress: progress("rollouts"),
    };
    await claimSteeringFolder(engine.identity, request, { ...options, force: isForced });
    const counter = newGenerationCounter();
    cost.watchSampling(counter);
    const steering = steerEngine(engine, request, { ...options, counter });
    const { report } = await noting(steering, opened.usage, work);
    const table =
      how.mode === "add" && known !== undefined ? layerTable(known.diagnostics, report) : undefined;
    if (table !== undefined) {
      await LAYER_TABLE.write(join(out.out, LAYER_TABLE.name), table);
    }
    return { ...report, layerTable: table, llm: opened.summary() };
  },
  show: ({ layerTable: table, llm, ...report }) =>
    [formatSteering(report, table), ...(llm === undefined ? [] : describeUsage(llm))].join("\n"),
  warnings: ({ shared = 0 }) => (shared > 0 ? [describeShared(shared)] : []),
  fault: ({ llm }) => tooManyUnjudged(llm, "judge.endpoint.maxMissing"),
  unfinished: ({ llm }) =>
    llm === undefined || llm.beyondBudget === 0
      ? undefined
      : budgetUsedUp(`${llm.beyondBudget} responses`),
});

/** Rules or a rubric judge, and nothing is said of what does not. */
function judgeContradictions(
  { judge }: SteeringSettings,
  given: ReadonlySet<string>,
): readonly Contradiction[] {
  const ways = ["rules", "rubric"].filter((way) => given.has(way));
  if (ways.length !== 1) {
    const got = ways.length === 0 ? "none" : "both";
    return need(false, ["rules"], `expected one of rules and rubric, got ${got}`);
  }
  return [
    ...judgingContradictions(judge, given, ["judge"]),
    ...need(
      !given.has("answers") || given.has("rubric"),
      ["answers"],
      "expected rubric with it, got rules",
    ),
  ];
}

/** Responses of the greatest length, as many as steering at `layers` layers samples at most; for estimates of their judging. */
export function longestSteered(
  prompts: readonly ScenarioPrompt[],
  { mode, projectOutAt, strength, grid, halvings, randomDirections, ...others }: SteeringSettings,
  layers: number,
): Generator<Omit<Rollout, "finish">> {
  const directed = mode === "add" && strength === "auto" ? grid.length + halvings : 1;
  const targets = steersTogether({ mode, projectOutAt }) ? 1 : layers;
  const arms = 1 + targets * (directed + randomDirections);
  const { maxTokens } = others.sampling;
  return longestRollouts(prompts, { samples: arms * others.rollouts, maxTokens });
}
