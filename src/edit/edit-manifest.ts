import { z } from "zod";

import { PAIR_SHAPES } from "../pairs/shapes/shapes.ts";
import { type Ranking, rankingFileSchema } from "../ranking/ranking-file.ts";
import { jsonArtifact } from "../util/artifact.ts";
import { hashText } from "../util/hash.ts";
import { VERSION } from "../util/version.ts";
import { type Edit, editSchema, swappedIds } from "./edit.ts";
import type { PairSurvey } from "./survey-pairs.ts";

const editedFileSchema = z.strictObject({
  path: z.string(),
  sha256: z.string(),
  /** Relative to the output folder, or the output's name. */
  out: z.string(),
  outSha256: z.string(),
});

const editManifestSchema = editSchema.extend({
  format: z.literal("culprit-edit"),
  formatVersion: z.literal(1),
  software: z.string(),
  /** Absent where no ranking was read from a file. */
  ranking: rankingFileSchema.optional(),
  shape: z.enum(PAIR_SHAPES),
  contentHash: z.string(),
  files: z.array(editedFileSchema).readonly(),
  rows: z.strictObject({
    /** Usable pairs of the source. */
    pairs: z.int(),
    edited: z.int(),
    /** Usable pairs of the output. */
    left: z.int(),
    /** Kept as they are. */
    unusable: z.int(),
    /** Rows that got their id written. */
    idsWritten: z.int(),
  }),
  /** Columns that changed places in swapped rows. */
  sideColumns: z.array(z.strictObject({ chosen: z.string(), rejected: z.string() })).readonly(),
  /** The list of edited ids, beside this file. */
  ids: z.strictObject({ file: z.string(), sha256: z.string() }),
});

/** Says how an edited data set was made; written beside it as `<out>.manifest.json`. Nothing of it depends on when or where. */
export type EditManifest = z.output<typeof editManifestSchema>;
/** A file before and after. */
export type EditedFile = z.output<typeof editedFileSchema>;

export const EDIT_MANIFEST = jsonArtifact(
  "manifest.json",
  "the manifest of an edit",
  editManifestSchema,
);

/** Puts a manifest together. */
export function createEditManifest(from: {
  readonly survey: PairSurvey;
  readonly edit: Edit;
  readonly ranking?: Ranking | undefined;
  readonly files: readonly EditedFile[];
  readonly idsFile: string;
}): EditManifest {
  const { survey, edit } = from;
  const { ids, groups, ...settings } = edit;
  const swapped = swappedIds(edit).length;
  const pairs = survey.table.ids.length;
  return {
    format: "culprit-edit",
    formatVersion: 1,
    software: VERSION,
    ...settings,
    ranking: from.ranking?.file,
    shape: survey.pairs.shape,
    contentHash: survey.pairs.contentHash,
    files: from.files,
    rows: {
      pairs,
      edited: ids.length,
      left: pairs - (ids.length - swapped),
      unusable: survey.unusable,
      idsWritten: survey.files.reduce((sum, { idRows }) => sum + idRows.size, 0),
    },
    groups,
    sideColumns: swapped > 0 ? survey.sides : [],
    ids: { file: from.idsFile, sha256: hashText(idLines(ids)) },
  };
}

/** Ids as JSON lines `{"id": …}`: any id fits on a line, and planted truth is written the same way. */
export function idLines(ids: readonly string[]): string {
  return ids.map((id) => `${JSON.stringify({ id })}\n`).join("");
}
