import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";

import { openAnswerStore } from "../endpoint/answer-store.ts";
import { describeCounts } from "../endpoint/describe-counts.ts";
import {
  generateFromEndpoint,
  type EndpointRolloutsResult,
} from "../rollouts/endpoint-rollouts.ts";
import { importRollouts } from "../rollouts/import-rollouts.ts";
import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { printable } from "../util/text-table.ts";
import type { CommandContext, ParsedArguments } from "./command.ts";
import { readAsker } from "./endpoint-flags.ts";
import { checkOutputFiles } from "./output-files.ts";
import type { Sampling } from "./sampling-flags.ts";

/** `culprit generate --base-url`: samples from an endpoint. What it answers is kept beside the output, also after the end. */
export async function generateByEndpoint(
  args: ParsedArguments,
  {
    prompts,
    out,
    sampling,
  }: { prompts: readonly ScenarioPrompt[]; out: string; sampling: Sampling },
  context: CommandContext,
): Promise<void> {
  const asker = readAsker(args, "generate");
  const progress = context.progress("generate", "rollouts");
  await using store = await openAnswerStore(`${out}.answers.jsonl`);
  const { topP, topK: _, ...rest } = sampling;
  const result = await generateFromEndpoint(prompts, {
    ...rest,
    ...(topP === 1 ? {} : { topP }),
    out,
    asker,
    store,
    isAnew: args.has("force"),
    signal: context.signal,
    progress,
  }).catch((error) => {
    progress.end();
    for (const line of describeCounts(asker.counts)) context.log(line);
    throw error;
  });
  const failed = Object.values(result.failed).reduce((sum, count) => sum + count, 0);
  if (failed > 0) {
    context.warn(
      `${failed} samples failed and are not in ${out}: culprit judge counts them as missing, the same command asks again for those that got no answer, --force also for those whose answer had no text`,
    );
  }
  context.print(
    args.has("json")
      ? JSON.stringify({ out, ...result, requests: asker.counts.requests }, undefined, 2)
      : format(out, result, describeCounts(asker.counts)),
  );
  requireRollouts(out, result);
}

/** Throws RuntimeError where there is nothing to go on with. */
function requireRollouts(out: string, { rollouts, failed }: EndpointRolloutsResult): void {
  if (rollouts > 0) return;
  const list = Object.entries(failed).map(([cause, count]) => `${count} ${printable(cause)}`);
  throw new RuntimeError(`${out}: expected rollouts, got none (${list.join("; ")})`, {
    hint: "See what fails, then give the same command again: it asks for what got no answer. Answers that are filtered or without text are paid for and kept: --force asks again for those without text.",
  });
}

/** Throws ConfigError where the rollouts of an endpoint are to be no JSON lines. */
export function expectJsonLines(out: string): void {
  if (out.endsWith(".jsonl")) return;
  throw new ConfigError(`${out}: expected a name ending in .jsonl for rollouts of an endpoint`);
}

/** `culprit generate --import`: rows with responses of another program, checked, as a rollout file. */
export async function importByCommand(
  args: ParsedArguments,
  { path, out }: { readonly path: string; readonly out: string },
  context: CommandContext,
): Promise<void> {
  checkOutputFiles([out], { isForced: args.has("force"), inputs: [path] });
  if (existsSync(`${out}.json`) && !args.has("force")) {
    throw new ConfigError(`${out}.json: is the manifest of other rollouts`);
  }
  let rollouts = 0;
  const lines = async function* (): AsyncGenerator<string> {
    for await (const rollout of importRollouts(path, context)) {
      rollouts++;
      yield `${JSON.stringify(rollout)}\n`;
    }
    if (rollouts === 0) throw new ConfigError(`${path}: expected responses, got none`);
  };
  await writeFileAtomic(out, lines());
  await rm(`${out}.json`, { force: true }); // of what stood there before
  context.print(
    args.has("json")
      ? JSON.stringify({ out, rollouts }, undefined, 2)
      : `${out}: ${rollouts} rollouts imported`,
  );
}

function format(out: string, result: EndpointRolloutsResult, asked: readonly string[]): string {
  const { rollouts, resumed, estimated, failed } = result;
  return [
    `${out}: ${rollouts} rollouts, ${resumed} of them there already`,
    ...Object.entries(failed).map(([cause, count]) => `${count} failed: ${printable(cause)}`),
    ...asked,
    ...(estimated === 0
      ? []
      : [`the tokens of ${estimated} are estimated: the endpoint did not say`]),
  ].join("\n");
}
