import { z } from "zod";

import type { AttributionMethod } from "../../attribution/method.ts";
import { METHODS } from "../../attribution/methods/index.ts";

/** A method and its settings as users give them. */
export interface MethodChoice {
  readonly name: string;
  /** What files and tables call this use of it. */
  readonly as?: string | undefined;
  readonly [setting: string]: unknown;
}

const as = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: "expected letters, digits, dots, dashes and underscores, 64 at most",
  })
  .optional()
  .describe("What files and tables call this use of the method. Absent: its name.");

/** One of the methods with its settings; the first is used where none is named. */
export function methodSettings(
  methods: readonly AttributionMethod[] = METHODS,
): z.ZodType<MethodChoice, { readonly name?: string | undefined }> {
  const list = methods.map(({ name, meaning }) => `${name}: ${meaning}`).join(" ");
  const meta = { flag: "method", description: `How pairs are scored. ${list}` };
  const options = methods.map(({ name, settings }, i) => {
    const named = z.literal(name);
    return z.strictObject({
      name: (i === 0 ? named.default(name) : named).meta(meta),
      as,
      ...settings.shape,
    });
  });
  return z.discriminatedUnion("name", options as [(typeof options)[number]]); // there is one at least
}

/** The settings of the method itself. */
export function ownSettings({
  name: _name,
  as: _as,
  ...own
}: MethodChoice): Record<string, unknown> {
  return own;
}

/** What files and tables call it. */
export const methodLabel = ({ name, as: label = name }: MethodChoice): string => label;
