/** @file Settings of the experiment file that need or exclude each other: between sections, and within those that are verbs' own. */
import { findMethod } from "../attribution/methods/index.ts";
import { answererName } from "../endpoint/answer-key.ts";
import { ALONG_RUN, FEATURE_KINDS, type FeatureKind } from "../engine/features.ts";
import { verbs } from "../verbs/index.ts";
import { priceContradictions } from "../verbs/judging/open-asker.ts";
import type { EndpointSettings } from "../verbs/settings/endpoint.ts";
import { featureContradictions } from "../verbs/settings/features.ts";
import { methodLabel, ownSettings, verbChoice } from "../verbs/settings/methods.ts";
import { samplingContradictions } from "../verbs/settings/sampling.ts";
import { type Contradiction, need } from "../verbs/verb.ts";
import { engineContradictions } from "./engine-contradictions.ts";
import { featuresOfMethods, judgedBy, writtenSteerSettings } from "./section-settings.ts";
import { DRIFT, type Experiment } from "./sections.ts";

/** What is wrong between settings that are each right by themselves. */
export function contradictions(given: Experiment): readonly Contradiction[] {
  return [
    ...neededSections(given),
    ...withinSections(given),
    ...scenarioContradictions(given),
    ...rankContradictions(given),
    ...steeringContradictions(given),
    ...need(
      given.membership === undefined || hasAfterHere(given),
      ["membership"],
      "needs a checkpoint after on this machine: expected checkpoints.after, or train",
    ),
    ...endpointContradictions(given),
    ...engineContradictions(given),
  ];
}

const has = (value: unknown): boolean => value !== undefined;

/** What a verb finds wrong, where the experiment file has it. */
export const at = (
  place: Contradiction["path"],
  found: readonly Contradiction[] = [],
): Contradiction[] => found.map(({ path, message }) => ({ path: [...place, ...path], message }));

function neededSections(given: Experiment): Contradiction[] {
  const { probe, responses, checkpoints, generate, train: training, evaluate, edits } = given;
  const hasAfter = has(checkpoints.after) || has(generate.endpoints?.after) || has(training);
  return [
    ...need(
      has(probe) !== has(responses),
      ["probe"],
      "expected either probe or responses, not both and not neither",
    ),
    ...(probe === undefined
      ? []
      : [
          ...need(has(given.judge), ["judge"], "expected a judge for the rollouts of probe"),
          ...need(
            hasAfter,
            ["train"],
            "expected settings to train the checkpoint after, or checkpoints.after",
          ),
        ]),
    ...(edits.length === 0
      ? []
      : [
          ...need(has(training), ["train"], "expected settings to train the arms of edits"),
          ...need(has(evaluate), ["evaluate"], "expected settings to measure the arms of edits"),
        ]),
    ...need(
      given.discover === undefined || has(probe),
      ["discover"],
      "expected a probe, whose rollouts are clustered",
    ),
    ...need(
      given.discover === undefined || featuresOfMethods(given).includes("states"),
      ["discover"],
      "expected a method of rank.methods that reads states, whose vectors are compared",
    ),
    ...refineContradictions(given),
    ...need(
      evaluate === undefined || has(given.judge),
      ["judge"],
      "expected a judge for the rollouts of evaluate",
    ),
  ];
}

/** Two passes are over states, on this machine, and make the top by one scorer exact. */
function refineContradictions(given: Experiment): Contradiction[] {
  const { refine, engine, rank } = given;
  if (refine === undefined) return [];
  const ofStates = rank.methods.filter(({ name }) => {
    const { needs, features = "states" } = findMethod(name);
    return needs.includes("store") && features === "states";
  });
  const probes = ofStates.filter(({ name }) => name === "probe");
  const others = probes.map(({ scorer }) => scorer).filter((scorer) => scorer !== refine.scorer);
  return [
    ...need(
      engine.kind === "local",
      ["refine"],
      `expected engine.kind local with it, which alone reads in low precision, got ${engine.kind}`,
    ),
    ...need(
      ofStates.length > 0,
      ["refine"],
      "expected a method of rank.methods that reads states, whose vectors are read twice",
    ),
    ...need(
      others.length === 0,
      ["refine", "scorer"],
      `expected ${String(others[0])}, by which rank.methods ranks, got ${refine.scorer}`,
    ),
  ];
}

/** What the verbs themselves find wrong. */
function withinSections(given: Experiment): Contradiction[] {
  const { train: training, judge: how, generate: sampling } = given;
  const features = richestFeatures(given);
  const made = new Set(ALONG_RUN.has(features) ? ["warmup"] : []); // by a stage
  return [
    ...(training === undefined
      ? []
      : at(
          ["train"],
          verbs.train.check?.(
            { ...training, seed: 0, keepStates: false },
            new Set(["data", "checkpoint"]),
          ),
        )),
    ...(how === undefined ? [] : at(["judge"], verbs.judge.check?.(how, judgedBy(how)))),
    ...at(["embed"], featureContradictions({ ...given.embed, features }, made)),
    ...need(
      given.warmup === undefined || featuresOfMethods(given).some((each) => ALONG_RUN.has(each)),
      ["warmup"],
      "expected none, as no method of rank.methods reads gradients along a training run",
    ),
    ...(given.discover === undefined
      ? []
      : at(["discover"], verbs.discover.check?.(given.discover, new Set(["out"])))), // answers are kept beside it
    ...at(["conditions"], verbs.conditions.check?.(given.conditions, new Set())),
    ...at(["generate"], samplingContradictions(sampling)),
  ];
}

/** Those of the methods that have the most settings. */
function richestFeatures(given: Experiment): FeatureKind {
  const kinds = featuresOfMethods(given);
  return FEATURE_KINDS.findLast((kind) => kinds.includes(kind))!; // one at least
}

/** Both halves from one place: a file for one of them may share requests with the other. */
function scenarioContradictions(given: Experiment): Contradiction[] {
  const isComposed = given.scenarios !== undefined;
  return (["probe", "evaluate"] as const).flatMap((section) => {
    const settings = given[section];
    if (settings === undefined) return [];
    return need(
      (settings.scenarios === undefined) === isComposed,
      [section, "scenarios"],
      isComposed
        ? "expected none beside scenarios, which composes them"
        : "expected a file of scenarios, or scenarios to compose them",
    );
  });
}

function rankContradictions({
  rank: ranking,
  edits,
  pairs,
  probe,
  behavior,
  checkpoints,
  train,
  generate,
}: Experiment): Contradiction[] {
  const methods = ranking.methods.map(methodLabel);
  const hasAfter = hasAfterHere({ checkpoints, train, generate });
  const { layer, nulls } = ranking;
  return [
    ...unused(ranking),
    ...ranking.methods.flatMap((choice, i) => {
      const method = findMethod(choice.name);
      const lacking = method.lacks?.(ownSettings(choice));
      return [
        ...need(
          lacking === undefined,
          ["rank", "methods", i, lacking?.setting ?? ""],
          lacking?.message ?? "",
        ),
        ...candidateContradictions(ranking.methods, i),
        ...endpointOfMethod(ranking.methods, i),
        ...need(
          hasAfter || !method.needs.includes("trained"),
          ["rank", "methods", i],
          `the method ${method.name} needs a trained checkpoint on this machine: expected checkpoints.after, or train`,
        ),
      ];
    }),
    ...edits.flatMap(
      ({ top, method, action, decisions, controls, sources = "auto", minLift }, i) => [
        ...need(
          decisions === undefined || method === undefined,
          ["edits", i, "method"],
          "expected none beside decisions, which follow no ranking",
        ),
        ...need(
          action === "filter" || action === "swap" || !controls.includes("bottom"),
          ["edits", i, "controls"],
          "expected bottom with filter or swap alone, which take a number of pairs",
        ),
        ...need(
          action === undefined || action === "tenth" || top !== undefined,
          ["edits", i, "top"],
          "expected how many pairs of the ranking's top, got none",
        ),
        ...need(
          method === undefined || methods.includes(method),
          ["edits", i, "method"],
          `expected one of rank.methods (${methods.join(", ")})`,
        ),
        ...need(
          has(pairs.planted) || ![top].flat().includes("planted"),
          ["edits", i, "top"],
          "expected a number, as pairs.planted names no column",
        ),
        // Beside named sources the top only names the arm.
        ...at(
          ["edits", i],
          verbs.edit.check?.(
            {
              action,
              top:
                action === undefined || action === "tenth"
                  ? anyTop(top)
                  : sources === "auto"
                    ? 1
                    : undefined,
              tenth: action === "tenth" ? 1 : undefined,
              sources: action === undefined && sources === "auto" ? undefined : sources,
              minLift,
              pick: "chosen",
            },
            new Set(["pairs", "ranking", ...(decisions === undefined ? [] : ["decisions"])]),
          ),
        ),
      ],
    ),
    ...need(
      !nulls.includes(DRIFT) || has(probe),
      ["rank", "nulls"],
      `${DRIFT} is made of the rollouts of probe: expected files, or a probe`,
    ),
    ...need(
      layer === "auto" || behavior.layers === "all" || behavior.layers.includes(layer),
      ["rank", "layer"],
      `expected one of behavior.layers (${[behavior.layers].flat().join(", ")})`,
    ),
  ];
}

/** Whether there is a top, for checks to which its size is the same. */
const anyTop = (top: unknown): 1 | undefined => (top === undefined ? undefined : 1);

/** What a method that asks an endpoint lacks. */
function endpointOfMethod(methods: Experiment["rank"]["methods"], i: number): Contradiction[] {
  const { name, endpoint, maxCost } = methods[i]!;
  const place = ["rank", "methods", i];
  return [
    ...need(
      endpoint !== undefined || !findMethod(name).needs.includes("endpoint"),
      [...place, "endpoint"],
      `expected one, which the method ${name} needs, got none`,
    ),
    ...priceContradictions(endpoint, [...place, "endpoint"] as string[]),
    ...need(
      maxCost === undefined || endpoint?.priceIn !== undefined,
      [...place, "maxCost"],
      "expected endpoint with priceIn and priceOut beside it",
    ),
  ];
}

/** The top of a method is known where it comes first. */
function candidateContradictions(
  methods: Experiment["rank"]["methods"],
  i: number,
): Contradiction[] {
  const { candidates, top } = methods[i]!;
  const before = methods.slice(0, i).map(methodLabel);
  const place = ["rank", "methods", i];
  return [
    ...need(
      candidates === undefined || before.includes(candidates),
      [...place, "candidates"],
      before.length === 0
        ? "expected none with the first method: list the cheaper one before it"
        : `expected a method before it in the list (${before.join(", ")})`,
    ),
    ...need(
      (candidates === undefined) === (top === undefined),
      [...place, candidates === undefined ? "candidates" : "top"],
      candidates === undefined
        ? "expected a method whose top is meant, beside top"
        : "expected how many of the candidates' top are scored",
    ),
  ];
}

/** What no method has a use for; what one of several has none for is right for another. */
function unused({
  methods,
  nulls,
  layer,
  rollouts,
  ...settings
}: Experiment["rank"]): Contradiction[] {
  const [first = [], ...others] = methods.map((choice) => {
    const method = verbChoice(choice);
    const { needs, oneOf = [] } = findMethod(method.name);
    const given = new Set<string>(["store", ...needs]);
    if (oneOf.includes("checkpoint") && method.endpoint === undefined) given.add("checkpoint");
    if (nulls.length > 0) given.add("nullBehavior");
    if (rollouts !== undefined) given.add("rollouts");
    const asked = layer === "auto" ? undefined : layer;
    return verbs.rank.check?.({ ...settings, method, layer: asked, noText: true }, given) ?? [];
  });
  const isCommon = ({ path: [name] }: Contradiction): boolean =>
    others.every((found) => found.some(({ path }) => path[0] === name));
  return first.filter(isCommon).map(({ path: [name], message }) => ({
    path: ["rank", name === "nullBehavior" ? "nulls" : name!], // never empty
    message,
  }));
}

/** Whether the checkpoint after can be asked for more than samples: an endpoint samples, and nothing else. */
function hasAfterHere({
  checkpoints,
  generate,
  train: training,
}: Pick<Experiment, "checkpoints" | "generate" | "train">): boolean {
  const isServed = generate.endpoints?.after !== undefined;
  return checkpoints.after !== undefined || (training !== undefined && !isServed);
}

function steeringContradictions(given: Experiment): Contradiction[] {
  const { steer: steering, judge: how, behavior } = given;
  if (steering === undefined) return [];
  const { modes, layers, on } = steering;
  const known = behavior.layers;
  const mode = modes.includes("add") ? "add" : "project-out";
  const all = writtenSteerSettings(given, mode);
  // What both modes are done with is right for either.
  const own =
    modes.length > 1 ? [] : (verbs.steer.check?.(all, how ? judgedBy(how) : new Set()) ?? []);
  return [
    ...need(
      (on === undefined ? (given.evaluate ?? given.probe) : given[on]) !== undefined,
      ["steer", "on"],
      "expected evaluate or probe with scenarios to sample",
    ),
    ...need(
      how !== undefined && how.meaning === undefined,
      ["judge"],
      "steering needs rules or an LLM to judge new responses",
    ),
    ...need(
      layers === undefined ||
        layers === "all" ||
        known === "all" ||
        layers.every((layer) => known.includes(layer)),
      ["steer", "layers"],
      `expected some of behavior.layers (${[known].flat().join(", ")})`,
    ),
    ...need(
      hasAfterHere(given) || !modes.includes("project-out"),
      ["steer", "modes"],
      "project-out needs checkpoints.after or training on this machine: expected [add]",
    ),
    ...at(
      ["steer"],
      own.filter(({ path: [first] }) => typeof first === "string" && first in steering),
    ),
  ];
}

/** An endpoint samples, and nothing else. */
function endpointContradictions(given: Experiment): Contradiction[] {
  const { endpoints, topK, stop } = given.generate;
  if (endpoints === undefined) return [];
  const { before, after } = endpoints;
  const place = ["generate", "endpoints"];
  const isMeasured = capabilityFiles(given).length > 0 && given.evaluate !== undefined;
  return [
    ...Object.entries({ before, after }).flatMap(([name, endpoint]) =>
      priceContradictions(endpoint, [...place, name]),
    ),
    ...need(
      before === undefined || after === undefined || !isSameEndpoint(before, after),
      [...place, "after"],
      `expected another model than endpoints.before, got the same address and name, ${JSON.stringify(before?.baseUrl)} and ${JSON.stringify(before?.model)}: nothing could differ`,
    ),
    ...need(topK === undefined, ["generate", "topK"], "endpoints know none, so expected none"),
    ...need(stop === undefined, ["generate", "stop"], "endpoints know none, so expected none"),
    ...need(
      given.probe?.amplify === undefined || (before ?? after) === undefined,
      ["probe", "amplify"],
      "needs both checkpoints on this machine, so expected no generate.endpoints",
    ),
    ...need(
      !isMeasured || after === undefined || given.checkpoints.after !== undefined,
      ["capabilities"],
      "an endpoint alone has none that can be measured: expected checkpoints.after too",
    ),
  ];
}

/** The capabilities that there are files for. */
export function capabilityFiles({
  capabilities,
}: Pick<Experiment, "capabilities">): readonly string[] {
  const { pairs, answers, tasks, overRefusal } = capabilities;
  return Object.entries({ pairs, answers, tasks, overRefusal })
    .filter(([, path]) => path !== undefined)
    .map(([name]) => name);
}

function isSameEndpoint(one: EndpointSettings, other: EndpointSettings): boolean {
  const [a, b] = [answererName(one), answererName(other)];
  return a.baseUrl === b.baseUrl && a.model === b.model;
}
