import { type ReactNode, useRef, useState } from "react";

import type { Decision, QueuePlace, QueueQuery } from "../../../src/report/report-source.ts";
import { addressHref } from "../../address.ts";
import { Await, Nothing, OfOne } from "../../components.tsx";
import { count, score } from "../../format.ts";
import { Term } from "../../glossary.tsx";
import { useKeys } from "../../keys.ts";
import { useLoaded } from "../../use-loaded.ts";
import { PairText } from "../pair/pair-text.tsx";
import type { PanelView } from "../panel.ts";
import { KEYS, type Kind } from "./decision-keys.ts";
import type { Change } from "./queue-choice.tsx";

interface PlaceProps {
  readonly source: PanelView<never>["source"];
  readonly query: QueueQuery;
  readonly place: QueuePlace;
  /** Where in the queue it is, from 0. */
  readonly at: number;
  /** The next pair is on its way: keys that come now are of nobody, since nobody has seen it. */
  readonly isBusy: () => boolean;
  readonly canUndo: boolean;
  readonly change: Change;
  /** Writes what `undo` does not bring back. */
  readonly takeBack: (decision: Decision) => Promise<void>;
  /** `isLast`: and goes on to the next pair. */
  readonly decide: (decision: Decision, isLast: boolean) => Promise<void>;
  readonly undo: () => Promise<void>;
}

/** The pair that is to be decided, and the keys to do it. */
export function Place({
  source,
  query,
  place,
  at: shownAt,
  isBusy,
  canUndo,
  change,
  decide,
  takeBack,
  undo,
}: PlaceProps): ReactNode {
  const { count: pairs, decided, open, decision } = place;
  const [fault, setFault] = useState<string>();
  const note = useRef<HTMLTextAreaElement>(null);
  /** Where `u` found nothing that it could take back. */
  const [idleAt, setIdleAt] = useState<number>();
  const to = (at: number): void => {
    setIdleAt(undefined);
    change({ at: Math.min(Math.max(0, at), pairs) }, true);
  };
  const attempt = (work: Promise<void>): void => {
    setIdleAt(undefined);
    setFault(undefined);
    work.catch((error: unknown) =>
      setFault(error instanceof Error ? error.message : String(error)),
    );
  };
  const write = (kind: Kind | null): void => {
    if (decision === undefined) return;
    const text = note.current?.value ?? decision.note;
    const next = { id: decision.id, decision: kind ?? decision.decision, note: text };
    attempt(decide(next, kind !== null));
  };
  const isDecided = decision !== undefined && decision.decision !== null;
  /**
   * Takes the decision on this pair back, whoever made it and when: after a reload nobody here knows which was the last. It stays taken
   * back however often the key is pressed.
   */
  const clear = (): void => {
    if (!isDecided) {
      setIdleAt(query.at);
      return;
    }
    const text = note.current?.value ?? decision.note;
    attempt(takeBack({ id: decision.id, decision: null, note: text }));
  };
  const actions: Readonly<Record<string, () => void>> = {
    ...Object.fromEntries(KEYS.map(([key, kind]) => [key, () => write(kind)])),
    u: () => (canUndo ? attempt(undo()) : clear()),
    j: () => to(query.at + 1),
    k: () => to(query.at - 1),
    n: () => open !== -1 && to(open),
    e: () => note.current?.focus(),
  };
  useKeys((event) => {
    if (event.repeat || !Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    if (!isBusy()) actions[event.key]?.();
  });
  return (
    <>
      <div>
        <p role="status">
          {count(decided)} of {count(pairs)} reviewed
          {idleAt === query.at && !canUndo && !isDecided && ". Nothing to take back here."}
        </p>
        <progress aria-label="Reviewed" value={decided} max={Math.max(1, pairs)} />
      </div>
      {fault !== undefined && (
        <p role="alert" className="fault">
          Not written: {fault}
        </p>
      )}
      <div className="tools" role="group" aria-label="Decide">
        {KEYS.map(([key, kind, meaning]) => (
          <button
            key={kind}
            type="button"
            title={meaning}
            aria-pressed={decision?.decision === kind}
            aria-keyshortcuts={key}
            disabled={decision === undefined}
            onClick={() => write(kind)}
          >
            {kind} <kbd>{key}</kbd>
          </button>
        ))}
        <button
          type="button"
          aria-keyshortcuts="u"
          disabled={!canUndo && !isDecided}
          onClick={actions["u"]}
        >
          {canUndo || !isDecided ? "undo" : "clear"} <kbd>u</kbd>
        </button>
        <button
          type="button"
          aria-keyshortcuts="k"
          disabled={query.at === 0}
          onClick={actions["k"]}
        >
          back <kbd>k</kbd>
        </button>
        <button
          type="button"
          aria-keyshortcuts="j"
          disabled={query.at >= pairs}
          onClick={actions["j"]}
        >
          next <kbd>j</kbd>
        </button>
        <button type="button" aria-keyshortcuts="n" disabled={open === -1} onClick={actions["n"]}>
          next open <kbd>n</kbd>
        </button>
      </div>
      {decision === undefined ? (
        <p role="note">
          {pairs === 0
            ? "There is no pair in this queue."
            : open === -1
              ? "Every pair of this queue is reviewed."
              : "The end of the queue; n goes to the first pair that is open."}
        </p>
      ) : (
        <>
          <h2 className="decided">
            {count(shownAt + 1)}.{" "}
            <a href={addressHref(["pair", decision.id])}>
              <bdi>{decision.id}</bdi>
            </a>{" "}
            {isDecided && <span className="mark">{decision.decision}</span>}
          </h2>
          <Shown key={decision.id} id={decision.id} source={source} />
          <label className="note">
            Note <kbd>e</kbd>
            <textarea
              key={decision.id}
              ref={note}
              rows={2}
              maxLength={4000}
              defaultValue={decision.note}
              onBlur={({ target }) => target.value !== decision.note && write(null)}
              onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
            />
          </label>
        </>
      )}
    </>
  );
}

/** The pair that is to be decided: its place and its text. */
function Shown({
  id,
  source,
}: {
  readonly id: string;
  readonly source: PanelView<never>["source"];
}): ReactNode {
  const detail = useLoaded(
    id,
    async () => {
      const list = await source.pairs({ method: 0, sort: "rank", isDescending: false });
      const at = await list.indexOf(id);
      const [row] = at === -1 ? [] : await list.rows(at, at + 1);
      return { row, pair: await source.pair(id) };
    },
    "rankings",
  );
  return (
    <Await of={detail}>
      {({ row, pair }) => (
        <>
          {row !== undefined && (
            <p className="quiet">
              <Term of="rank" /> {count(row.places[0]?.rank)}, <Term of="score" />{" "}
              <OfOne>{score(row.places[0]?.score)}</OfOne>, source{" "}
              <bdi>{row.source ?? "not said"}</bdi>
            </p>
          )}
          {pair === undefined ? (
            <Nothing>Its text is not here: the files of the pairs have moved or changed.</Nothing>
          ) : (
            <PairText detail={pair} ask={source.tokens} />
          )}
        </>
      )}
    </Await>
  );
}
