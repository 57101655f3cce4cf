import { join } from "node:path";

import type { Edit, EditPick, EditSettings } from "../edit/edit.ts";
import { AUDIT } from "../pairs/audit-report.ts";
import { ConfigError } from "../util/errors.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import type { Experiment } from "./sections.ts";

/** One edit of the pairs that checkpoints are trained on and compared by. */
export interface Arm extends Pick<EditSettings, "sources" | "minLift"> {
  /** `filter-240`, `filter-240-random`, `review`. */
  readonly id: string;
  /** Its place in `edits` of the experiment file, from 0. */
  readonly edit: number;
  /** `review`: what people decided. */
  readonly action: Edit["action"];
  /** Whose ranking it follows, as its use is called; undefined where people decided. */
  readonly method: string | undefined;
  readonly pick: EditPick;
  /** Undefined where people decided. */
  readonly top: number | undefined;
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
    const { action = "review" as const, sources, by, minLift, controls } = each;
    const method = action === "review" ? undefined : (each.method ?? first);
    return [each.top].flat().flatMap((asked) => {
      const top = asked === "planted" ? planted : asked;
      const others = [top, method === first ? undefined : method];
      const id = unique([action, ...others.filter((part) => part !== undefined)].join("-"));
      const chosen = { edit, method, action, top, sources, by, minLift };
      const random = controls.map((pick): Arm => ({
        ...chosen,
        id: unique(`${id}-${pick}`),
        pick,
        controls: [],
      }));
      return [{ ...chosen, id, pick: "chosen", controls: random.map((arm) => arm.id) }, ...random];
    });
  });
}

/** What the checkpoint of an arm and a seed is called among the measured ones, and in the names of stages. */
export function measuredName(arm: string, seed = 0): string {
  return `${arm}-seed${seed}`;
}

/** Throws ConfigError naming the setting where an edit asks for more than the usable pairs. */
export function requireTops({ edits }: Pick<Experiment, "edits">, usable: number): void {
  for (const [i, { action, top }] of edits.entries()) {
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
