import type { EditAction, EditPick } from "../edit/edit.ts";
import { methodLabel } from "../verbs/settings/methods.ts";
import type { Experiment } from "./sections.ts";

/** One edit of the pairs that checkpoints are trained on and compared by. */
export interface Arm {
  /** `filter-240`, `filter-240-random`. */
  readonly id: string;
  /** Whose ranking it follows, as its use is called. */
  readonly method: string;
  readonly action: EditAction;
  readonly pick: EditPick;
  readonly top: number;
  readonly sources: "auto" | readonly string[] | undefined;
  readonly by: string | undefined;
  readonly minLift: number | undefined;
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
  return edits.flatMap(({ action, top, sources, by, minLift, controls, method = first }) =>
    [top].flat().flatMap((each) => {
      const size = each === "planted" ? planted : each;
      const id = unique([action, size, ...(method === first ? [] : [method])].join("-"));
      const chosen = { method, action, top: size, sources, by, minLift };
      const random = controls.map((pick): Arm => ({
        ...chosen,
        id: unique(`${id}-${pick}`),
        pick,
        controls: [],
      }));
      return [{ ...chosen, id, pick: "chosen", controls: random.map((arm) => arm.id) }, ...random];
    }),
  );
}

/** What the checkpoint of an arm and a seed is called among the measured ones, and in the names of stages. */
export function measuredName(arm: string, seed = 0): string {
  return `${arm}-seed${seed}`;
}
