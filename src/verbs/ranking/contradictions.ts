/** @file What method, sources and settings of a ranking ask of each other. */
import type { AttributionMethod, Sources } from "../../attribution/method.ts";
import { priceContradictions } from "../judging/open-asker.ts";
import { type MethodChoice, ownSettings } from "../settings/methods.ts";
import { type Contradiction, need } from "../verb.ts";

/** What the method lacks, and what it would pass over. */
export function contradictions(
  method: AttributionMethod,
  choice: MethodChoice,
  {
    given,
    layers,
    noText,
  }: {
    readonly given: ReadonlySet<string>;
    readonly layers: Readonly<Record<string, unknown>>;
    readonly noText: boolean;
  },
): readonly Contradiction[] {
  const { name, needs, uses = [], oneOf = [] } = method;
  const { traits } = method.describe(ownSettings(choice));
  const { endpoint, maxCost } = choice;
  const has = (source: string): boolean =>
    source === "endpoint" ? endpoint !== undefined : given.has(source);
  const needsIt = (source: keyof Sources): boolean => needs.includes(source);
  const isComplete = needs.every(has) && (oneOf.length === 0 || oneOf.some(has));
  const passedOver = [
    ...(needsIt("behavior") ? [] : ["behavior"].filter(has)),
    ...(needsIt("behavior") && traits.null !== "none" ? [] : ["nullBehavior"].filter(has)),
    // Beside a store they are for the text of what is printed.
    ...(needsIt("pairs") || !has("store") || !noText ? [] : ["pairs"].filter(has)),
    ...["responses", "checkpoint", "trained", "rollouts"].filter(
      (each) => has(each) && ![...needs, ...uses].some((own) => own === each),
    ),
    ...(traits.hasLayer ? [] : Object.keys(layers).filter((each) => layers[each] !== undefined)),
  ];
  const lacking = method.lacks?.(ownSettings(choice));
  return [
    ...(lacking === undefined
      ? []
      : [{ path: ["method", lacking.setting], message: lacking.message }]),
    ...needs.flatMap((source) =>
      need(has(source), pathOf(source), `expected one, which the method ${name} needs, got none`),
    ),
    ...need(
      oneOf.length === 0 || oneOf.filter(has).length === 1,
      pathOf(oneOf.find((each) => !has(each)) ?? oneOf[1]!), // where it is empty nothing is wrong
      `expected either ${oneOf.join(" or ")}, which the method ${name} needs, got ${oneOf.filter(has).join(" and ") || "none"}`,
    ),
    ...priceContradictions(endpoint, ["method", "endpoint"]),
    ...need(
      maxCost === undefined || endpoint?.priceIn !== undefined,
      ["method", "maxCost"],
      "expected priceIn and priceOut beside it, got neither",
    ),
    ...need(
      has("store") || has("pairs") || !isComplete,
      ["store"],
      "expected one, or pairs, to score, got none",
    ),
    ...passedOver.map((source) => ({
      path: [source],
      message: `expected none beside the method ${name}, which has no use for it`,
    })),
  ];
}

/** What is said to be lacking. */
const pathOf = (source: keyof Sources): Contradiction["path"] =>
  source === "endpoint" ? ["method", "endpoint", "baseUrl"] : [source];
