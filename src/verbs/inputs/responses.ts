/** @file Response pairs as verbs take them: what of a file is not used is said by name. */
import { type ResponsePairs, readResponsePairs } from "../../pairs/response-pairs.ts";
import { createReasonCounter } from "../../pairs/unusable-file.ts";
import { listCounts } from "../../util/commonest-first.ts";
import { printable } from "../../util/text-table.ts";
import type { Input, OpenWork } from "../verb.ts";
import { openingOptions, responsesInput } from "./files.ts";

/** Reads a file of response pairs; says which of its columns nothing reads. */
export async function openResponses(path: string, work: OpenWork): Promise<ResponsePairs> {
  const responses = await readResponsePairs(path, openingOptions(work));
  for (const [column, rows] of Object.entries(responses.ignoredColumns)) {
    work.note(`${path}: column "${printable(column)}" (${rows} rows) is not used`);
  }
  return responses;
}

/** Response pairs for verbs whose results do not list the unusable ones: these are warned of. */
export const countedResponsesInput = {
  ...responsesInput,
  open: async ([path = ""], _settings, work) => {
    const responses = await openResponses(path, work);
    const { pairs, unusable } = responses;
    const causes = countUnusable(unusable);
    if (unusable.length > 0) {
      work.warn(
        `${path}: left out are ${unusable.length} of ${pairs.length + unusable.length} response pairs: ${listCounts(causes)}`,
      );
    }
    return responses;
  },
  files: ({ files }) => files.map(({ path }) => path),
} as const satisfies Input<ResponsePairs>;

/** Unusable response pairs by reason. */
export function countUnusable(
  unusable: ResponsePairs["unusable"],
): Readonly<Record<string, number>> {
  const counter = createReasonCounter();
  for (const row of unusable) counter.add(row);
  return counter.summary().byReason;
}
