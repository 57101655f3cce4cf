/** @file The review of a run: queues of pairs, the decisions on them, and what these say of the ranking and of the automatic edits. */
import { basename, join } from "node:path";

import { type DecisionLog, openDecisionLog } from "../../edit/decision-log.ts";
import type { Decision } from "../../edit/decisions.ts";
import { EDIT, takesChosen } from "../../edit/edit.ts";
import {
  agreementWithEdit,
  countDecisions,
  MOST_RANKED,
  randomOrder,
  reviewedPrecision,
} from "../../edit/review-figures.ts";
import { ConfigError } from "../../util/errors.ts";
import type { QueueQuery, ReviewSource } from "../report-source.ts";
import type { RunSnapshot } from "./run-source.ts";
import type { ServedPairs } from "./served-pairs.ts";

/** The queue of the pairs ranked highest. */
const TOP = "top";

/** Pairs that an edit of the run takes, best first where a ranking chose them. */
interface AutomaticEdit {
  readonly name: string;
  readonly ids: readonly string[];
}

/** What a review looks at: the same as long as the run's stages are. */
interface Reviewed {
  readonly snapshot: RunSnapshot;
  readonly pairs: ServedPairs;
  readonly edits: readonly AutomaticEdit[];
  readonly queues: Map<string, readonly string[]>;
}

/** Reviews the run that `look` gives, in a file of decisions. */
export function createReviewDesk(
  path: string,
  look: () => Promise<RunSnapshot | undefined>,
): ReviewSource & AsyncDisposable {
  let log: Promise<DecisionLog> | undefined;
  let last: Reviewed | undefined;
  const openLog = ({ run }: RunSnapshot): Promise<DecisionLog> => {
    log ??= openDecisionLog(path, run.manifest.inputs["pairs"] ?? "");
    const opened = log;
    opened.catch(() => {
      log = undefined;
    });
    return opened;
  };
  const current = async (): Promise<Reviewed | undefined> => {
    const snapshot = await look();
    const pairs = await snapshot?.pairs();
    if (snapshot === undefined || pairs === undefined) return undefined;
    if (last?.snapshot !== snapshot) {
      last = { snapshot, pairs, edits: await readEdits(snapshot), queues: new Map() };
    }
    return last;
  };
  return {
    summary: async () => {
      const at = await current();
      if (at === undefined) return undefined;
      const { decisions, torn } = await openLog(at.snapshot);
      const [first] = at.pairs.summary.methods;
      return {
        file: basename(path),
        torn,
        counts: countDecisions(decisions.keys(), decisions),
        queues: [
          ...at.edits.map(({ name, ids }) => ({ name, pairs: ids.length })),
          { name: TOP, pairs: first!.scored },
        ],
        agreements: at.edits.map(({ name, ids }) => ({
          edit: name,
          ...agreementWithEdit(ids, decisions),
        })),
        precision: reviewedPrecision(await at.pairs.top(MOST_RANKED), decisions),
      };
    },
    queue: async (query) => {
      const at = await current();
      const ids = at && (await queueOf(at, query));
      if (at === undefined || ids === undefined) return undefined;
      const { decisions } = await openLog(at.snapshot);
      const isOpen = (id: string): boolean => (decisions.get(id)?.decision ?? null) === null;
      const id = ids[query.at];
      const later = ids.findIndex((each, i) => i >= query.at && isOpen(each));
      return {
        count: ids.length,
        decided: ids.filter((each) => !isOpen(each)).length,
        open: later === -1 ? ids.findIndex(isOpen) : later,
        decision: id === undefined ? undefined : (decisions.get(id) ?? blank(id)),
      };
    },
    decide: async (decision) => {
      const at = await current();
      if (at === undefined || !(await at.pairs.has(decision.id))) {
        throw new ConfigError("decision: expected the id of a ranked pair, got another");
      }
      const before = await (await openLog(at.snapshot)).set(decision);
      return { decision, before };
    },
    [Symbol.asyncDispose]: async () => {
      const opened = await log?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

const blank = (id: string): Decision => ({ id, decision: null, note: "" });

async function queueOf(
  { pairs, edits, queues }: Reviewed,
  { name, k, order }: QueueQuery,
): Promise<readonly string[] | undefined> {
  const key = JSON.stringify([name, name === TOP ? k : 0, order]);
  const known = queues.get(key);
  if (known !== undefined) return known;
  const ids = name === TOP ? await pairs.top(k) : edits.find((each) => each.name === name)?.ids;
  if (ids === undefined) return undefined;
  const found = order === "random" ? randomOrder(ids) : ids;
  queues.set(key, found);
  return found;
}

/** The edits of a run whose pairs a ranking chose: not drawn at random, and not decided by people. */
async function readEdits({ run }: RunSnapshot): Promise<readonly AutomaticEdit[]> {
  const found: AutomaticEdit[] = [];
  for (const stage of run.ofKind("edit")) {
    const edit = await EDIT.find(join(run.stage(stage)!, EDIT.name)); // of a finished stage
    if (edit === undefined || !takesChosen(edit) || edit.action === "review") continue;
    found.push({ name: stage.replace(/^edit-/, ""), ids: edit.ids });
  }
  return found;
}
