import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import {
  behaviorReportPath,
  readBehavior,
  readBehaviorReport,
  type StoredBehavior,
} from "../../behavior/behavior-file.ts";
import { openEngine } from "../../engine/open-engine.ts";
import type { ScenarioPrompt } from "../../rollouts/scenarios.ts";
import { behaviorDirections } from "../../steering/behavior-directions.ts";
import { type LayerTable, layerTable, STEERING_LAYERS } from "../../steering/layer-table.ts";
import { countShared, describeShared } from "../../steering/shared-scenarios.ts";
import { steer, STEERING_REPORT } from "../../steering/steer.ts";
import { claimSteeringFolder, expectSteeringFolder } from "../../steering/steering-folder.ts";
import type { SteeringReport } from "../../steering/steering-report.ts";
import { unnamedLayers } from "../../steering/steering-target.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { formatSteering } from "../../verbs/show/steering.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { readModelOptions } from "../engine-flags.ts";
import { expectOneJudge, openJudge } from "../judge-flags.ts";
import { expectOtherFiles } from "../output-files.ts";
import { onlyPositional, requiredText } from "../required.ts";
import { readPrompts, readSampling } from "../sampling-flags.ts";
import { readSteering, STEER_FLAGS } from "../steer-flags.ts";

export const steerCommand: Command = {
  name: "steer",
  summary: "Whether a behaviour's direction causes the behaviour: rates with and without steering",
  positionals: "SCENARIOS",
  description: `
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
(DIR/${STEERING_LAYERS}).

DIR/${STEERING_REPORT} is the report; DIR/arms/NAME/ holds all rollouts and verdicts. The same command goes on where a
killed one was, with --force too; another request is refused. With --force, another request and a finished one start over:
report and arms of before are removed first, and no other file. A folder with other things is always refused. The scenarios
should not be those that the behaviour was made from.

  culprit steer scenarios.jsonl --checkpoint ./sft --behavior b.safetensors --mode add --rules compliance --out steer-add
  culprit steer scenarios.jsonl --checkpoint ./dpo --behavior b.safetensors --mode project-out --rules compliance --out steer-out`,
  flags: STEER_FLAGS,
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  // Everything that can be wrong with the words is found before the checkpoint is loaded.
  const path = onlyPositional(args, "steer", "one file of scenarios or prompts");
  const checkpoint = requiredText(args, "steer", "checkpoint");
  const behaviorPath = requiredText(args, "steer", "behavior");
  const out = requiredText(args, "steer", "out");
  const settings = readSteering(args);
  const sampling = readSampling(args);
  expectOneJudge(args, "steer");
  const engineOptions = readModelOptions(args, context);
  const prompts = await readPrompts(args, path, context);
  const behavior = await readBehavior(behaviorPath);
  expectOtherInputs(out, [path, behaviorPath, behaviorReportPath(behaviorPath)]);
  expectSteeringFolder(out);
  mkdirSync(out, { recursive: true });

  await using opened = await openJudge(args, join(out, "judge"));
  await using engine = await openEngine(checkpoint, engineOptions);
  const more = args.texts("stop").map((text) => engine.tokenId(text));
  const { layers: named, ...request } = settings;
  const layers = named === "all" ? behavior.layers : (named ?? unnamedLayers(request, behavior));
  const asked = {
    ...request,
    prompts,
    judge: opened.judge,
    madeFrom: behavior.scenarioIds,
    directions: behaviorDirections(behavior, engine.identity, {
      mode: request.mode,
      otherCheckpoint: args.has("other-checkpoint"),
      layers,
    }),
  };
  const options = {
    ...sampling,
    out,
    stopTokens: [...engine.stopTokens, ...more],
    signal: context.signal,
    progress: context.progress("steer", "rollouts"),
  };
  await claimSteeringFolder(engine.identity, asked, { ...options, force: args.has("force") });
  const { report } = await steer(engine, asked, options).catch((error: unknown) => {
    for (const line of opened.usage()) context.log(line);
    throw error;
  });
  const table = await writeLayers(report, { behaviorPath, out });
  context.print(
    args.has("json")
      ? JSON.stringify({ ...report, layerTable: table }, undefined, 2)
      : [formatSteering(report, table), ...opened.usage()].join("\n"),
  );
  warnOfShared(behavior, prompts, context);
}

function expectOtherInputs(out: string, inputs: readonly string[]): void {
  expectOtherFiles(
    [STEERING_REPORT, STEERING_LAYERS].map((name) => join(out, name)),
    inputs.filter((each) => existsSync(each)),
  );
}

/** The table of layers, where the behaviour's report is there and steering says something of single layers. */
async function writeLayers(
  report: SteeringReport,
  { behaviorPath, out }: { readonly behaviorPath: string; readonly out: string },
): Promise<LayerTable | undefined> {
  if (report.mode !== "add") return undefined;
  const behavior = await readBehaviorReport(behaviorPath);
  if (behavior === undefined) return undefined;
  const table = layerTable(behavior.diagnostics, report);
  await writeFileAtomic(join(out, STEERING_LAYERS), `${JSON.stringify(table, undefined, 2)}\n`);
  return table;
}

function warnOfShared(
  { scenarioIds }: StoredBehavior,
  prompts: readonly ScenarioPrompt[],
  context: CommandContext,
): void {
  const shared = countShared(prompts, scenarioIds);
  if (shared > 0) context.warn(describeShared(shared));
}
