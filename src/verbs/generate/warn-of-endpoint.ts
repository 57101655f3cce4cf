import { warnOfIdentical } from "../../rollouts/identical-samples.ts";
import { printable } from "../../util/text-table.ts";
import type { SampledThere } from "./sample-there.ts";

/** What must be known before rollouts of an endpoint are trusted, one line each. */
export function warnOfEndpoint(result: SampledThere): readonly string[] {
  const { out, rollouts, cut, identical, temperature } = result;
  const failed = sum(result.failed);
  const unknown = sum(result.unknownEnds);
  return [
    ...(failed === 0
      ? []
      : [
          `${failed} samples failed and are not in ${out}: culprit judge counts them as missing, the same command asks again for those that got no answer, --force also for those whose answer had no text`,
        ]),
    ...Object.entries(result.leftOut).map(
      ([field, count]) =>
        `${count} samples were asked for without ${field}, which the endpoint does not take: ${LEFT_OUT[field] ?? "its own value holds"}`,
    ),
    ...(unknown === 0
      ? []
      : [
          `${unknown} samples ended for a reason that may mean whole or cut (${Object.keys(
            result.unknownEnds,
          )
            .map((each) => printable(each))
            .join(", ")}): their finish is "unknown"`,
        ]),
    ...(2 * cut < rollouts || rollouts === 0
      ? []
      : [
          `${cut} of ${rollouts} samples were cut at their longest: what they would have come to is not judged, and a model that thinks first may not have answered yet; raise the limit of tokens`,
        ]),
    ...warnOfIdentical(out, identical, temperature),
  ];
}

/** What it means that a field was not sent. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  seed: "asking again gives other samples",
  temperature: "they are sampled at its own temperature, not at the one given",
  top_p: "they are sampled from all tokens that it takes, not from the share given",
};

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
