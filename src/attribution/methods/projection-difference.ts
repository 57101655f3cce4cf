import { z } from "zod";

import type { Message } from "../../format/messages.ts";
import type { PreferencePair } from "../../pairs/preference-pair.ts";
import { promptKey } from "../../pairs/prompt-key.ts";
import { saidBeside } from "../../pairs/shapes/row-context.ts";
import { ConfigError } from "../../util/errors.ts";
import { dot, norm } from "../../util/vector.ts";
import {
  defineMethod,
  type MethodTask,
  type MethodWork,
  type OwnAnswers,
  type Scored,
  type ScoredBehavior,
} from "../method.ts";
import { inGroups, readGroups, tokenizeFitting, tokensOf, type Turns } from "../pair-examples.ts";
import { readText } from "../read-text.ts";
import { layersOfStates } from "../require-same-space.ts";
import type { ScoringModel } from "../scoring-model.ts";

/**
 * ⟨ā(y⁺) − ā(y), v̂⟩ (arXiv 2507.21509): ā the mean residual stream of M0 over a response's tokens at a layer, v̂ the behaviour's
 * direction at length 1, y what M0 itself answers where there are rollouts of it (their mean where there are several), else the rejected
 * response; then it is the probe's projection, read from the text instead of a store. With ā(y⁺) = (3, 1), ā(y) = (1, 1), v = (2, 0):
 * (3 − 1) · 1 = 2.
 */
export const projectionDifference = defineMethod({
  name: "projection-difference",
  meaning:
    "The chosen response lies further along the behaviour's direction than what the checkpoint answers itself, or than the rejected one.",
  settings: z.strictObject({}),
  needs: ["pairs", "checkpoint", "behavior"],
  uses: ["rollouts"],
  describe: () => ({
    formula:
      "<a(chosen) - a(y), v/|v|>, a the mean activation over a response, y the checkpoint's own answers where rollouts are given, else the rejected response",
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: true },
  }),
  score: async ({ checkpoint: model, behavior, layers, rollouts, ...task }, _settings, work) => {
    const directions = behavior.wanted.flatMap((each) =>
      layersOfStates(model.engine.identity, each, layers).map((layer) => ({ of: each, layer })),
    );
    const project = createProjector(model, directions, work);
    const own = rollouts && (await projectOwn(task, rollouts, { model, project, work }));
    const scores = directions.map(() => new Float32Array(task.rows.ids.length).fill(Number.NaN));
    const causes = new Map<number, string>();
    for await (const group of readGroups(task, work)) {
      const turns = group.map(({ pair }): Turns => {
        const { prompt, chosen, rejected, context } = pair;
        return { prompt, responses: own === undefined ? [chosen, rejected] : [chosen], context };
      });
      const found = await project(turns);
      for (const [i, { row, pair }] of group.entries()) {
        const [chosen, rejected] = found.projections[i] ?? [];
        const against = own === undefined ? rejected : ownOf(pair, own);
        const cause = found.causes.get(i) ?? (against === undefined ? noAnswer(pair) : undefined);
        if (cause !== undefined) causes.set(row, cause);
        else for (const [d, to] of scores.entries()) to[row] = chosen![d]! - against![d]!;
      }
    }
    const remarks = [
      own === undefined
        ? "Held to the rejected responses: no rollouts of the checkpoint were given."
        : `Held to the checkpoint's own answers to ${own.size} prompts.`,
    ];
    return directions.map(({ of: { name, head }, layer }, d): Scored => ({
      behavior: name,
      layer,
      scores: scores[d]!, // one for each direction
      causes,
      remarks,
      doubt: head.doubts[`${layer}`],
    }));
  },
});

type OwnProjections = ReadonlyMap<string, readonly number[]>;

/** Rollouts keep roles and texts alone. */
const plainKey = (prompt: readonly Message[]): string =>
  promptKey(prompt.map(({ role, content }) => ({ role, content })));

/** Rollouts are answers to roles and texts: to a prompt with tools, calls or variables the checkpoint would answer something else. */
const isPlain = ({ prompt, context }: PreferencePair): boolean =>
  saidBeside(prompt, context).length === 0;

const ownOf = (pair: PreferencePair, own: OwnProjections) =>
  isPlain(pair) ? own.get(plainKey(pair.prompt)) : undefined;

const noAnswer = (pair: PreferencePair): string =>
  isPlain(pair)
    ? "no rollout of its prompt"
    : "its prompt is more than turns, which no rollout is of";

/** The projections of responses on each direction, in their order; causes of what cannot be read by place. */
type Projector = (all: readonly Turns[]) => Promise<{
  readonly projections: readonly (readonly (readonly number[])[] | undefined)[];
  readonly causes: ReadonlyMap<number, string>;
}>;

function createProjector(
  { engine, flopsToLayer }: ScoringModel,
  directions: readonly { readonly of: ScoredBehavior; readonly layer: number }[],
  { signal, count }: MethodWork,
): Projector {
  const layers = [...new Set(directions.map(({ layer }) => layer))].toSorted((a, b) => a - b);
  const { dim } = engine.identity;
  const flopsPerToken = flopsToLayer(Math.max(...layers));
  const projectOne = (mean: Float32Array): readonly number[] =>
    directions.map(({ of, layer }) => {
      const direction = of.directions.get(layer)!; // layersOfStates
      const at = layers.indexOf(layer) * dim;
      return dot(mean.subarray(at, at + dim), direction) / norm(direction);
    });
  return async (all) => {
    const { examples, places, causes } = tokenizeFitting(engine, all);
    const projections = all.map((): readonly (readonly number[])[] | undefined => undefined);
    for await (const { index, means } of engine.embed(examples, { layers, signal })) {
      projections[places[index]!] = means.map(projectOne);
      const tokens = tokensOf(examples[index]!);
      count({ tokens, flops: tokens * flopsPerToken });
    }
    return { projections, causes };
  };
}

/** The mean projections of the checkpoint's own answers, by the prompts of the rows; memory: some numbers for each prompt. */
async function projectOwn(
  task: Pick<MethodTask<"pairs">, "rows" | "pairs">,
  rollouts: OwnAnswers,
  {
    model,
    project,
    work,
  }: {
    readonly model: ScoringModel;
    readonly project: Projector;
    readonly work: MethodWork;
  },
): Promise<ReadonlyMap<string, readonly number[]>> {
  expectOwn(rollouts, model);
  const asked = new Set<string>();
  for await (const { pair } of readText(task, { signal: work.signal })) {
    if (isPlain(pair)) asked.add(plainKey(pair.prompt));
  }
  const found = new Map<string, { sum: number[]; answers: number }>();
  for await (const group of inGroups(answersTo(asked, rollouts, work))) {
    const { projections } = await project(group.map(({ turns }) => turns));
    for (const [i, { key }] of group.entries()) {
      const [projection] = projections[i] ?? [];
      if (projection === undefined) continue;
      const { sum, answers } = found.get(key) ?? { sum: projection.map(() => 0), answers: 0 };
      found.set(key, {
        sum: sum.map((each, d) => each + projection[d]!), // of the same directions
        answers: answers + 1,
      });
    }
  }
  if (found.size === 0) {
    throw new ConfigError(
      `${rollouts.path}: expected rollouts of the pairs' prompts, got none of ${asked.size} prompts`,
      { hint: "culprit generate samples them: give it the pairs' prompts." },
    );
  }
  return new Map([...found].map(([key, { sum, answers }]) => [key, sum.map((s) => s / answers)]));
}

async function* answersTo(
  asked: ReadonlySet<string>,
  rollouts: OwnAnswers,
  { signal }: MethodWork,
): AsyncGenerator<{ readonly key: string; readonly turns: Turns }> {
  for await (const { prompt, response } of rollouts.read({ signal })) {
    const key = plainKey(prompt);
    if (!asked.has(key)) continue;
    const responses = [[{ role: "assistant", content: response }]] as const;
    yield { key, turns: { prompt, responses, context: undefined } };
  }
}

function expectOwn({ path, checkpointHash }: OwnAnswers, { engine }: ScoringModel): void {
  const { identity } = engine;
  if (checkpointHash === undefined || checkpointHash === identity.checkpointHash) return;
  throw new ConfigError(
    `${path}: expected rollouts of ${identity.name}, got those of another checkpoint`,
    { hint: "Sample the checkpoint before training: culprit generate." },
  );
}
