import type { PairShape } from "../pairs/shapes/shapes.ts";
import type { SideColumns } from "../pairs/side-columns.ts";
import type { Ranking, RankingFile } from "../ranking/ranking-file.ts";
import { hashText } from "../util/hash.ts";
import { VERSION } from "../util/version.ts";
import type { Edit, EditedGroup } from "./edit.ts";
import type { PairSurvey } from "./survey-pairs.ts";

/** Says how an edited data set was made; written beside it as `<out>.manifest.json`. Nothing of it depends on when or where. */
export interface EditManifest extends Omit<Edit, "ids" | "groups"> {
  readonly format: "culprit-edit";
  readonly formatVersion: 1;
  readonly software: string;
  /** Undefined where no ranking was read from a file. */
  readonly ranking: RankingFile | undefined;
  readonly shape: PairShape;
  readonly contentHash: string;
  readonly files: readonly EditedFile[];
  readonly rows: {
    /** Usable pairs of the source. */
    readonly pairs: number;
    readonly edited: number;
    /** Usable pairs of the output. */
    readonly left: number;
    /** Kept as they are. */
    readonly unusable: number;
    /** Rows that got their id written. */
    readonly idsWritten: number;
  };
  readonly groups: readonly EditedGroup[];
  /** Columns that changed places in swapped rows. */
  readonly sideColumns: readonly SideColumns[];
  /** The list of edited ids, beside this file. */
  readonly ids: { readonly file: string; readonly sha256: string };
}

/** A file before and after. */
export interface EditedFile {
  readonly path: string;
  readonly sha256: string;
  /** Relative to the output folder, or the output's name. */
  readonly out: string;
  readonly outSha256: string;
}

/** Puts a manifest together. */
export function createEditManifest(from: {
  readonly survey: PairSurvey;
  readonly edit: Edit;
  readonly ranking: Ranking | undefined;
  readonly files: readonly EditedFile[];
  readonly idsFile: string;
}): EditManifest {
  const { survey, edit } = from;
  const { ids, groups, ...settings } = edit;
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
      left: edit.action === "swap" ? pairs : pairs - ids.length,
      unusable: survey.unusable,
      idsWritten: survey.files.reduce((sum, { idRows }) => sum + idRows.size, 0),
    },
    groups,
    sideColumns: edit.action === "swap" ? survey.sides : [],
    ids: { file: from.idsFile, sha256: hashText(idLines(ids)) },
  };
}

/** Ids as JSON lines `{"id": …}`: any id fits on a line, and planted truth is written the same way. */
export function idLines(ids: readonly string[]): string {
  return ids.map((id) => `${JSON.stringify({ id })}\n`).join("");
}
