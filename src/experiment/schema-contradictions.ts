/** @file Settings of the experiment file that need or exclude each other. */
import { answererName } from "../endpoint/answer-key.ts";
import { type MethodChoice, methodLabel } from "../verbs/settings/methods.ts";
import { DRIFT } from "./schema-attribution.ts";
import type { EndpointSettings } from "./schema-judge.ts";
import { otherModes, type SteeringSettings } from "./schema-steering.ts";

export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The settings that need each other. */
interface Joined {
  readonly checkpoints: { readonly after?: string | undefined };
  readonly pairs: { readonly planted?: string | undefined };
  readonly training?: unknown;
  readonly scenarios?: unknown;
  readonly probe?:
    | { readonly scenarios?: string | undefined; readonly amplify?: number | undefined }
    | undefined;
  readonly sampling: {
    readonly topK?: number | undefined;
    readonly endpoints?:
      | {
          readonly before?: EndpointSettings | undefined;
          readonly after?: EndpointSettings | undefined;
        }
      | undefined;
  };
  readonly responses?: string | undefined;
  readonly judge?:
    | {
        readonly kind: string;
        readonly endpoint?: EndpointSettings | undefined;
        readonly maxCost?: number | undefined;
      }
    | undefined;
  readonly edits: readonly { readonly top: unknown; readonly method?: string | undefined }[];
  readonly evaluation?:
    | { readonly scenarios?: string | undefined; readonly capabilities: object }
    | undefined;
  readonly behavior: { readonly layers: readonly number[] };
  readonly steering?: SteeringSettings | undefined;
  readonly attribution: {
    readonly methods: readonly MethodChoice[];
    readonly layer: number | "auto";
    readonly nulls: readonly string[];
  };
}

/** What is wrong between settings that are each right by themselves. */
export function contradictions(given: Joined): Contradiction[] {
  const found: Contradiction[] = [];
  const need = (isGiven: boolean, at: string, message: string): void => {
    if (!isGiven) found.push({ path: [at], message });
  };
  const has = (value: unknown): boolean => value !== undefined;
  need(
    has(given.probe) !== has(given.responses),
    "probe",
    "expected either probe or responses, not both and not neither",
  );
  if (has(given.probe)) {
    need(has(given.judge), "judge", "expected a judge for the rollouts of probe");
    need(
      has(given.checkpoints.after) || has(given.sampling.endpoints?.after) || has(given.training),
      "training",
      "expected settings to train the checkpoint after, or checkpoints.after",
    );
  }
  if (given.edits.length > 0) {
    need(has(given.training), "training", "expected settings to train the arms of edits");
    need(has(given.evaluation), "evaluation", "expected settings to measure the arms of edits");
  }
  if (has(given.evaluation)) {
    need(has(given.judge), "judge", "expected a judge for the rollouts of evaluation");
  }
  const methods = given.attribution.methods.map(methodLabel);
  for (const [i, { top, method }] of given.edits.entries()) {
    if (method !== undefined && !methods.includes(method)) {
      const message = `expected one of attribution.methods (${methods.join(", ")})`;
      found.push({ path: ["edits", i, "method"], message });
    }
    if (has(given.pairs.planted) || ![top].flat().includes("planted")) continue;
    found.push({
      path: ["edits", i, "top"],
      message: "expected a number, as pairs.planted names no column",
    });
  }
  found.push(...scenarioContradictions(given), ...steeringContradictions(given));
  found.push(...judgeContradictions(given.judge), ...endpointContradictions(given));
  const { layer, nulls } = given.attribution;
  if (nulls.includes(DRIFT) && !has(given.probe)) {
    const message = `${DRIFT} is made of the rollouts of probe: expected files, or a probe`;
    found.push({ path: ["attribution", "nulls"], message });
  }
  if (layer !== "auto" && !given.behavior.layers.includes(layer)) {
    found.push({
      path: ["attribution", "layer"],
      message: `expected one of behavior.layers (${given.behavior.layers.join(", ")})`,
    });
  }
  return found;
}

/** Both halves from one place: a file for one of them may share requests with the other. */
function scenarioContradictions(given: Joined): Contradiction[] {
  const isComposed = given.scenarios !== undefined;
  return (["probe", "evaluation"] as const).flatMap((section) => {
    const settings = given[section];
    if (settings === undefined || (settings.scenarios === undefined) === isComposed) return [];
    const message = isComposed
      ? "expected none beside scenarios, which composes them"
      : "expected a file of scenarios, or scenarios to compose them";
    return [{ path: [section, "scenarios"], message }];
  });
}

function steeringContradictions(given: Joined): Contradiction[] {
  const { steering, judge, behavior, checkpoints } = given;
  if (steering === undefined) return [];
  const found: Contradiction[] = [];
  const need = (isRight: boolean, name: string, message: string): void => {
    if (!isRight) found.push({ path: ["steering", name], message });
  };
  need(
    (steering.on === undefined ? (given.evaluation ?? given.probe) : given[steering.on]) !==
      undefined,
    "on",
    "expected evaluation or probe with scenarios to sample",
  );
  if (judge === undefined || judge.kind === "human") {
    found.push({
      path: ["judge"],
      message: "steering needs rules or an LLM to judge new responses",
    });
  }
  need(
    steering.layers?.every((layer) => behavior.layers.includes(layer)) ?? true,
    "layers",
    `expected some of behavior.layers (${behavior.layers.join(", ")})`,
  );
  need(
    steering.grid.every((value, i) => value > (steering.grid[i - 1] ?? 0)),
    "grid",
    "expected rising strengths",
  );
  const isServed = given.sampling.endpoints?.after !== undefined;
  const hasAfter = checkpoints.after !== undefined || (given.training !== undefined && !isServed);
  need(
    hasAfter || !steering.modes.includes("project-out"),
    "modes",
    "project-out needs checkpoints.after or training on this machine: expected [add]",
  );
  return [...found, ...otherModes(steering)];
}

function judgeContradictions(judge: Joined["judge"]): Contradiction[] {
  if (judge?.endpoint === undefined) return [];
  const found = priceContradictions(["judge", "endpoint"], judge.endpoint);
  if (judge.maxCost === undefined || judge.endpoint.priceIn !== undefined) return found;
  const message = "expected priceIn and priceOut of the endpoint";
  return [...found, { path: ["judge", "maxCost"], message }];
}

function priceContradictions(
  at: readonly string[],
  { priceIn, priceOut }: EndpointSettings,
): Contradiction[] {
  if ((priceIn === undefined) === (priceOut === undefined)) return [];
  const absent = priceIn === undefined ? "priceIn" : "priceOut";
  return [{ path: [...at, absent], message: "expected both priceIn and priceOut" }];
}

/** An endpoint samples, and nothing else. */
function endpointContradictions(given: Joined): Contradiction[] {
  const { endpoints, topK } = given.sampling;
  if (endpoints === undefined) return [];
  const { before, after } = endpoints;
  const found = Object.entries({ before, after }).flatMap(([name, endpoint]) =>
    endpoint === undefined ? [] : priceContradictions(["sampling", "endpoints", name], endpoint),
  );
  if (before !== undefined && after !== undefined && isSameEndpoint(before, after)) {
    const message = `expected another model than endpoints.before, got the same address and name, ${JSON.stringify(before.baseUrl)} and ${JSON.stringify(before.model)}: nothing could differ`;
    found.push({ path: ["sampling", "endpoints", "after"], message });
  }
  if (topK !== undefined) {
    found.push({ path: ["sampling", "topK"], message: "endpoints know none, so expected none" });
  }
  if (given.probe?.amplify !== undefined && (before ?? after) !== undefined) {
    const message = "needs both checkpoints on this machine, so expected no sampling.endpoints";
    found.push({ path: ["probe", "amplify"], message });
  }
  const isMeasured = Object.keys(given.evaluation?.capabilities ?? {}).length > 0;
  if (isMeasured && after !== undefined && given.checkpoints.after === undefined) {
    const message =
      "an endpoint alone has none that can be measured: expected checkpoints.after too";
    found.push({ path: ["evaluation", "capabilities"], message });
  }
  return found;
}

function isSameEndpoint(one: EndpointSettings, other: EndpointSettings): boolean {
  const [a, b] = [answererName(one), answererName(other)];
  return a.baseUrl === b.baseUrl && a.model === b.model;
}
