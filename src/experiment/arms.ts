import { join } from "node:path";

import { type Edit, type EditPick, type EditSettings, isRandomPick, TENTHS } from "../edit/edit.ts";
import { AUDIT } from "../pairs/audit-report.ts";
import { ConfigError } from "../util/errors.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import type { Experiment } from "./sections.ts";

/** One edit of the pairs that checkpoints are trained on and compared by. */
export interface Arm extends Pick<EditSettings, "sources" | "minLift"> {
  /** `filter-240`, `filter-240-random`, `filter-240-bottom`, `tenth-1`, `review`. */
  readonly id: string;
  /** Its place in `edits` of the experiment file, from 0. */
  readonly edit: number;
  /** `review`: what people decided. */
  readonly action: Edit["action"];
  /** Whose ranking it follows, as its use is called; undefined where people decided. */
  readonly method: string | undefined;
  readonly pick: EditPick;
  /** Which of several random sets, from 0; 0 where nothing is drawn. */
  readonly draw: number;
  /** Undefined where people decided. */
  readonly top: number | undefined;
  /** The one that is left, of the action `tenth`. */
  readonly tenth: number | undefined;
  readonly by: string | undefined;
  /** The arms that are its controls: random edits of the same size. */
  readonly controls: readonly string[];
}

/** The arm of no edit. */
export const BASELINE = "baseline";

/** Every arm but the baseline, each followed by its controls; `planted` is what `top: planted` means. */
export function listArms({ edits, rank }: Experiment, planted: number): readonly Arm[] {
  const taken = new Set<string>();
  const unique = (id: string): string => {
    let free = id;
    for (let n = 2; taken.has(free); n++) free = `${id}-${n}`;
    taken.add(free);
    return free;
  };
  const first = methodLabel(rank.methods[0]!); // there is one at least
  return edits.flatMap((each, edit) => {
    const { action = "review" as const, sources, by, minLift, controls, draws } = each;
    const method = action === "review" ? undefined : (each.method ?? first);
    const shared = { edit, method, action, sources, by, minLift };
    const nameOf = (...parts: readonly (string | number | undefined)[]): string =>
      [action, ...parts].filter((part) => part !== undefined).join("-");
    const followed = method === first ? undefined : method;
    const besides = (id: string, size: Pick<Arm, "top" | "tenth">): Arm[] =>
      controls.flatMap((pick) =>
        Array.from({ length: isRandomPick(pick) ? draws : 1 }, (_, draw): Arm => {
          const named = unique(`${id}-${pick}`);
          return { ...shared, ...size, id: named, pick, draw, controls: [] };
        }),
      );
    const randomOf = (arms: readonly Arm[]): string[] =>
      arms.filter(({ pick }) => isRandomPick(pick)).map(({ id }) => id);
    if (action === "tenth") {
      // All tenths are of one size: random tenths stand beside them all.
      const ids = Array.from({ length: TENTHS }, (_, i) => unique(nameOf(i + 1, followed)));
      // Any tenth sets how many pairs a random one has.
      const random = besides(nameOf(followed), { top: undefined, tenth: 1 });
      const kept = { ...shared, top: undefined, draw: 0, pick: "chosen" as const };
      return [
        ...ids.map((id, i): Arm => ({ ...kept, id, tenth: i + 1, controls: randomOf(random) })),
        ...random,
      ];
    }
    return [each.top].flat().flatMap((asked) => {
      const top = asked === "planted" ? planted : asked;
      const id = unique(nameOf(top, followed));
      const size = { top, tenth: undefined };
      const others = besides(id, size);
      return [
        {
          ...shared,
          ...size,
          id,
          pick: "chosen",
          draw: 0,
          controls: randomOf(others),
        },
        ...others,
      ];
    });
  });
}

/** What the checkpoint of an arm and a seed is called among the measured ones, and in the names of stages. */
export function measuredName(arm: string, seed = 0): string {
  return `${arm}-seed${seed}`;
}

/** Random sets of one training seed differ, and none is that of another seed below a million. */
export const drawSeed = ({ draw }: Arm, seed: number): number => seed + draw * 1_000_000;

/** Throws ConfigError naming the setting where an edit asks for more than the usable pairs, or for tenths of fewer than ten. */
export function requireTops({ edits }: Pick<Experiment, "edits">, usable: number): void {
  for (const [i, { action, top }] of edits.entries()) {
    if (action === "tenth" && usable < TENTHS) {
      throw new ConfigError(
        `edits[${i}].action: expected at least ${TENTHS} usable pairs for tenths, got ${usable}`,
      );
    }
    const most = action === "filter" ? usable - 1 : usable;
    const beyond = [top]
      .flat()
      .find((each) => each !== "planted" && each !== undefined && each > most);
    if (beyond === undefined) continue;
    const left = action === "filter" ? ", so that some are left" : "";
    throw new ConfigError(
      `edits[${i}].top: expected at most ${most} of the ${usable} usable pairs${left}, got ${beyond}`,
    );
  }
}

/**
 * Throws ConfigError naming the setting where an edit asks for more pairs than the audit counted, or for a source that it did not
 * see: the edit itself comes hours later. Pairs that turn out to have no vector are not known yet.
 */
export async function requireEdits(
  { edits }: Pick<Experiment, "edits">,
  auditFolder: string,
): Promise<void> {
  if (edits.length === 0) return;
  const { usable, sources: seen } = await AUDIT.read(join(auditFolder, AUDIT.name));
  requireTops({ edits }, usable);
  for (const [i, { action, sources = "auto", by }] of edits.entries()) {
    if (action !== "drop-source" || sources === "auto" || by !== undefined) continue;
    const known = seen.map(({ source }) => source);
    const unknown = sources.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new ConfigError(
      `edits[${i}].sources: expected sources of the pairs, got ${JSON.stringify(unknown.slice(0, 60))}`,
      { hint: `There are: ${known.slice(0, 20).join(", ").slice(0, 400)}.` },
    );
  }
}
