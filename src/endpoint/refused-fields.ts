/** @file Fields of a request that an endpoint does not take, by what it says when it refuses them. */
import type { EndpointFault } from "./endpoint-fault.ts";

/** Fields without which a request can still be answered. */
export const FIELDS_TO_SPARE = ["seed", "top_p", "temperature"] as const;
export type SpareField = (typeof FIELDS_TO_SPARE)[number];

/** What servers say of a field that they do not know or allow. */
const UNTAKEN =
  "unsupported|not support|n't support|unknown|unrecogni[sz]ed|unexpected|extra(?:neous|_forbidden| input| field)|additional propert|not permitted|not allowed|forbidden|cannot find field";
/** The field is taken, and another value is wanted: the user's to choose. */
const OTHER_VALUE = /unsupported[ _]value|only the default|does not support [\d.]+/i;

/** Which of the fields that were sent the endpoint does not take, as far as it names them; none where it wants other values. */
export function refusedFields(
  { status, detail }: EndpointFault,
  sent: readonly SpareField[],
): readonly SpareField[] {
  if ((status !== 400 && status !== 422) || OTHER_VALUE.test(detail)) return [];
  return sent.filter((field) =>
    new RegExp(
      `(?:${UNTAKEN}).{0,80}\\b${field}\\b|\\b${field}\\b.{0,80}(?:${UNTAKEN})`,
      "is",
    ).test(detail),
  );
}
