/** @file The endpoints that an experiment names: their keys and addresses are tried before anything is made. */
import { keyOfVariable } from "../endpoint/check-endpoint.ts";
import { greetEndpoint } from "../endpoint/greet-endpoint.ts";
import { RuntimeError } from "../util/errors.ts";
import { inSetting } from "../util/in-setting.ts";
import { openAsker } from "../verbs/judging/open-asker.ts";
import type { AskedEndpoint } from "../verbs/settings/endpoint.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import { type DoneSoFar, placeOf } from "./estimate-place.ts";
import { rankId } from "./method-stages.ts";
import type { Experiment } from "./sections.ts";
import { type Stage, stageId } from "./stage.ts";

interface NamedEndpoint {
  /** Where the file names it, `judge.endpoint` say. */
  readonly setting: string;
  readonly endpoint: AskedEndpoint;
  /** Whether a stage with this id asks it. */
  readonly isAskedBy: (id: string) => boolean;
}

function listEndpoints(experiment: Experiment): readonly NamedEndpoint[] {
  const { judge, generate, rank, discover } = experiment;
  const found: readonly (Omit<NamedEndpoint, "endpoint"> & {
    readonly endpoint: AskedEndpoint | undefined;
  })[] = [
    {
      setting: "judge.endpoint",
      endpoint: judge?.endpoint,
      isAskedBy: (id) => /^(evaluation-)?judge-|^steer/.test(id),
    },
    ...(["before", "after"] as const).map((name) => ({
      setting: `generate.endpoints.${name}`,
      endpoint: generate.endpoints?.[name],
      isAskedBy: (id: string) => id === `generate-${name}` || id === `evaluation-generate-${name}`,
    })),
    ...rank.methods.map((method, i) => ({
      setting: `rank.methods[${i}].endpoint`,
      endpoint: method.endpoint,
      isAskedBy: (id: string) => id === rankId(experiment, methodLabel(method)),
    })),
    {
      setting: "discover.endpoint",
      endpoint: discover?.endpoint,
      isAskedBy: (id) => id === "discover",
    },
  ];
  return found.flatMap(({ endpoint, ...each }) =>
    endpoint === undefined ? [] : [{ ...each, endpoint }],
  );
}

/** Throws ConfigError where the variable of an endpoint's key is not set, or its address is none. */
export function expectKeys(experiment: Experiment): void {
  for (const { setting, endpoint } of listEndpoints(experiment)) openAsker(endpoint, { setting });
}

interface StillToRun extends DoneSoFar {
  readonly stages: readonly Stage[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Throws where nobody is behind an endpoint that a stage still has to ask, or its key is refused: hours of training would come to nothing.
 * One whose answers are all kept is left alone.
 */
export async function expectEndpoints(experiment: Experiment, run: StillToRun): Promise<void> {
  const done = new Set(run.finished.map(({ id }) => id));
  const left = run.stages.filter((stage) => !done.has(stageId(stage)));
  for (const { setting, endpoint, isAskedBy } of listEndpoints(experiment)) {
    const asking = left.filter((stage) => isAskedBy(stageId(stage)));
    if (!(await hasQuestions(asking, run))) continue;
    const { baseUrl, model, apiKeyEnv } = endpoint;
    const apiKey = keyOfVariable(`${setting}.apiKeyEnv`, apiKeyEnv);
    await inSetting(setting, () => greetEndpoint({ baseUrl, model, apiKey }, run.signal)).catch(
      (error: unknown) => {
        if (!(error instanceof RuntimeError)) throw error;
        const { message, hint } = error;
        throw new RuntimeError(`${setting}: ${message}`, { hint, cause: error });
      },
    );
  }
}

/** Whether a stage has a question that no kept answer is to, or may have. */
async function hasQuestions(asking: readonly Stage[], run: DoneSoFar): Promise<boolean> {
  for (const stage of asking) {
    if (stage.estimate === undefined) return true;
    if ((await stage.estimate(placeOf(stage, run))).requests > 0) return true;
  }
  return false;
}
