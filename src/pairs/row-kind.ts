import { ownField, type RowFields } from "./readers/file-row.ts";

/** Files of rows that commands write and read, with columns that tell them apart; the first that fits counts. */
const KINDS = {
  verdicts: { columns: [["rollout"], ["label", "missing"]], from: "culprit judge" },
  rollouts: { columns: [["response"], ["finish"], ["sample"]], from: "culprit generate" },
  "response pairs": { columns: [["before"], ["after"]], from: "culprit conditions" },
  "preference pairs": { columns: [["chosen"], ["rejected"]], from: undefined },
  ranking: { columns: [["rank"], ["score"]], from: "culprit rank" },
  scenarios: { columns: [["base"]], from: "culprit scenarios" },
} as const satisfies Record<
  string,
  { readonly columns: readonly (readonly string[])[]; readonly from: string | undefined }
>;

export type RowKind = keyof typeof KINDS;

/**
 * What to add to an error about a row that was to be of one kind and has the columns of another: a file in the wrong place. Else "".
 */
export function otherKind(fields: RowFields, wanted: RowKind): string {
  const has = (name: string): boolean => ownField(fields, name) !== undefined;
  const found = (Object.keys(KINDS) as RowKind[]).find((kind) =>
    KINDS[kind].columns.every((some) => some.some(has)),
  );
  if (found === undefined || found === wanted) return "";
  const { from } = KINDS[found];
  const made = KINDS[wanted].from;
  return `; these look like ${found}${from === undefined ? "" : ` (of ${from})`}, not ${wanted}${made === undefined ? "" : ` (of ${made})`}`;
}
