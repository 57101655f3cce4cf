import { z } from "zod";

import type { AttributionMethod } from "../../attribution/method.ts";
import { METHODS } from "../../attribution/methods/index.ts";
import { count, nonEmpty, nonNegative } from "../../util/setting-kinds.ts";
import { type EndpointSettings, endpointSettings } from "./endpoint.ts";

/** A method and its settings as users give them. */
export interface MethodChoice {
  readonly name: string;
  /** What files and tables call this use of it. */
  readonly as?: string | undefined;
  /** In experiments: the use of a method whose top alone is scored, and how many pairs that is. */
  readonly candidates?: string | undefined;
  readonly top?: number | undefined;
  /** Of methods that ask one. */
  readonly endpoint?: EndpointSettings | undefined;
  readonly maxCost?: number | undefined;
  readonly [setting: string]: unknown;
}

const as = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: "expected letters, digits, dots, dashes and underscores, 64 at most",
  })
  .optional()
  .describe("What files and tables call this use of the method. Absent: its name.");

/** How many pairs of a ranking's top are candidates. */
export const candidateTop = count
  .optional()
  .describe(
    "With candidates: how many pairs of its top are scored; the others get no score. Absent: all pairs are scored.",
  );

/** What experiments say of a use of a method beside its settings. */
export const OF_EXPERIMENTS = {
  candidates: nonEmpty
    .optional()
    .describe(
      "A method before it in the list, by its name or what as calls it, whose top alone is scored. Absent: all pairs are.",
    ),
  top: candidateTop,
};

/** How an endpoint is asked; of methods that ask one. */
const OF_ENDPOINTS = {
  endpoint: endpointSettings
    .optional()
    .describe("Who is asked, by methods that ask a model served elsewhere. Absent: nobody."),
  maxCost: nonNegative.optional().meta({
    description:
      "Of the same methods: what all answers that are kept together may cost; pairs that it does not reach have no score, and a higher one goes on. Absent: no limit.",
    counts: false,
  }),
};

/** Whether a method can ask an endpoint. */
export const asksEndpoint = ({ needs, uses = [] }: AttributionMethod): boolean =>
  [...needs, ...uses].includes("endpoint");

/** One of the methods with its settings, and `further` ones of any; the first is used where none is named. */
export function methodSettings(
  methods: readonly AttributionMethod[] = METHODS,
  further: z.ZodRawShape = {},
): z.ZodType<MethodChoice, { readonly name?: string | undefined }> {
  const list = methods.map(({ name, meaning }) => `${name}: ${meaning}`).join(" ");
  const meta = { flag: "method", description: `How pairs are scored. ${list}` };
  const options = methods.map((method, i) => {
    const { name, settings } = method;
    const named = z.literal(name);
    return z.strictObject({
      name: (i === 0 ? named.default(name) : named).meta(meta),
      as,
      ...further,
      ...settings.shape,
      ...(asksEndpoint(method) ? OF_ENDPOINTS : {}),
    });
  });
  const union = z.discriminatedUnion("name", options as [(typeof options)[number]]); // there is one at least
  return union as unknown as ReturnType<typeof methodSettings>; // of shapes that are put together here, the compiler forgets the members
}

/** The settings of the method itself. */
export function ownSettings({
  name: _name,
  as: _as,
  candidates: _candidates,
  top: _top,
  endpoint: _endpoint,
  maxCost: _maxCost,
  ...own
}: MethodChoice): Record<string, unknown> {
  return own;
}

/** The choice as the verb takes it. */
export const verbChoice = (choice: MethodChoice): MethodChoice => ({
  name: choice.name,
  as: choice.as,
  ...ownSettings(choice),
  ...(choice.endpoint !== undefined && { endpoint: choice.endpoint }),
  ...(choice.maxCost !== undefined && { maxCost: choice.maxCost }),
});

/** What files and tables call it. */
export const methodLabel = ({ name, as: label = name }: MethodChoice): string => label;
