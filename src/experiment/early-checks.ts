/** @file What a stage hours later would fail over, looked at before the first one runs: `culprit run` and its `--dry-run` refuse at once. */
import { basename } from "node:path";

import { readDecisions } from "../edit/decisions.ts";
import { expectKnownPairs } from "../edit/plan-reviewed.ts";
import { openModel } from "../model/open-model.ts";
import { createRenderer } from "../model/prompt-renderer.ts";
import { readResponsePairs } from "../pairs/response-pairs.ts";
import { chooseGroupColumn } from "../ranking/group-column.ts";
import { ConfigError } from "../util/errors.ts";
import { inSetting } from "../util/in-setting.ts";
import type { ExperimentInputs } from "./open-inputs.ts";
import type { Experiment } from "./sections.ts";

type Opened = Pick<ExperimentInputs, "before" | "after" | "pairs" | "responses" | "decisions">;

/**
 * Throws ConfigError naming the setting where a checkpoint has no chat template, a stop text is no token, a column is not kept, the file of
 * responses or of decisions holds something else or is about other pairs, or no weight is a target of LoRA.
 */
export async function checkEarly(experiment: Experiment, inputs: Opened): Promise<void> {
  await checkTokenizers(experiment, inputs);
  await checkColumns(experiment, inputs);
  const { responses } = inputs;
  if (responses !== undefined) {
    await inSetting("responses", () => readResponsePairs(responses.path));
  }
  await checkDecisions(inputs);
  await checkTargets(experiment, inputs);
}

async function checkDecisions({ decisions, pairs }: Opened): Promise<void> {
  if (decisions.every((file) => file === undefined)) return;
  const known = new Set<string>();
  for await (const row of pairs.read()) if (row.kind === "pair") known.add(row.id);
  for (const [i, file] of decisions.entries()) {
    if (file === undefined) continue;
    await inSetting(`edits[${i}].decisions`, async () => {
      const { decisions: found } = await readDecisions(file.path);
      expectKnownPairs({ path: basename(file.path), decisions: found }, known);
    });
  }
}

async function checkTokenizers(
  { checkpoints, generate }: Experiment,
  inputs: Pick<Opened, "before" | "after">,
): Promise<void> {
  const { template } = checkpoints;
  for (const which of ["before", "after"] as const) {
    const folder = inputs[which]?.folder;
    // Of an endpoint the server has its own.
    if (folder === undefined) continue;
    const { tokenizer } = await inSetting(`checkpoints.${which}`, () =>
      createRenderer(folder, { template }),
    );
    if (generate.endpoints?.[which] !== undefined) continue;
    for (const text of generate.stop ?? []) {
      const { length } = tokenizer.encode(text);
      if (length === 1) continue;
      throw new ConfigError(
        `generate.stop: expected one token of the checkpoint ${which}, got ${JSON.stringify(text)}, which is ${length} tokens`,
        { hint: "Name a token as tokenizer.json spells it, such as <|im_end|>." },
      );
    }
  }
}

async function checkColumns(
  { edits, rank, membership }: Experiment,
  { pairs }: Pick<Opened, "pairs">,
): Promise<void> {
  const asked: readonly (readonly [string, string | undefined])[] = [
    ["rank.by", rank.by],
    ["membership.by", membership?.by],
    ...edits.map(({ by }, i) => [`edits[${i}].by`, by] as const),
  ];
  for (const [setting, column] of asked) {
    if (column === undefined || pairs.columns.includes(column)) continue;
    await inSetting(setting, async () => {
      chooseGroupColumn(pairs.columns, column);
    });
  }
}

async function checkTargets(
  { train }: Experiment,
  { before }: Pick<Opened, "before">,
): Promise<void> {
  const targets = train?.lora?.targets;
  if (targets === undefined) return;
  const { model, weights } = await openModel(before.folder);
  await using _ = weights;
  const modules = [...weights.names()]
    .filter((name) => /^model\.layers\.|\.\d+\./.test(name) && name.endsWith(".weight"))
    .map((name) => name.slice(0, -".weight".length));
  const unknown = targets.find(
    (target) => !modules.some((module) => module === target || module.endsWith(`.${target}`)),
  );
  if (unknown === undefined) return;
  const names = [...new Set(modules.map((module) => module.split(".").at(-1)!))]; // a text has a last part
  throw new ConfigError(
    `train.lora.targets: expected weights of the ${model.family.name} blocks, got ${JSON.stringify(unknown)}`,
    { hint: `There are: ${names.filter((name) => !/norm/.test(name)).join(", ")}.` },
  );
}
