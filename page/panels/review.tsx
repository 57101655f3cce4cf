/** @file The review queue, from a server: pairs one by one, decided by single keys, and what the decisions say. */
import { type ReactNode, useEffect, useRef, useState } from "react";

import type {
  Decided,
  Decision,
  QueuePlace,
  QueueQuery,
  ReviewSource,
  ReviewSummary,
} from "../../src/report/report-source.ts";
import { addressHref, go } from "../address.ts";
import { Await, Figure, Nothing, Section, Table } from "../components.tsx";
import { count, interval, percent, score } from "../format.ts";
import { Term } from "../glossary.tsx";
import { isTyping } from "../is-typing.ts";
import { useLoaded } from "../use-loaded.ts";
import { PairText } from "./pair/pair-text.tsx";
import { definePanel, type PanelView } from "./panel.ts";

type Kind = NonNullable<Decision["decision"]>;

/** Each decision by its key, and what it means. */
const KEYS: readonly (readonly [key: string, kind: Kind, meaning: string])[] = [
  ["a", "keep", "it is as it should be"],
  ["d", "drop", "nothing should be trained on it"],
  ["s", "swap", "chosen and rejected are the wrong way round"],
  ["f", "unsure", "somebody else should look"],
];

/** Sizes of the top to choose from. */
const SIZES = [20, 50, 100, 200, 500, 1000, 5000];

export const reviewPanel = definePanel({
  id: "review",
  title: "Review",
  parts: [],
  isListed: (_, source) => source.review !== undefined,
  View: (view) => {
    const { review } = view.source;
    const summary = useLoaded("review", async () => review?.summary());
    return (
      <>
        <h1>Review: pair by pair</h1>
        <Await of={summary}>
          {(found) =>
            review === undefined ? (
              <Nothing>Decisions can be written from a server: culprit report RUN --serve.</Nothing>
            ) : found === undefined ? (
              <Nothing>Nothing was ranked yet.</Nothing>
            ) : (
              <Review {...view} review={review} first={found} />
            )
          }
        </Await>
      </>
    );
  },
});

type Reviewing = PanelView<never> & {
  readonly review: ReviewSource;
  readonly first: ReviewSummary;
};

function queueOf(params: Readonly<Record<string, string>>, { queues }: ReviewSummary): QueueQuery {
  const whole = (text: string | undefined, otherwise: number): number =>
    /^\d{1,6}$/.test(text ?? "") ? Number(text) : otherwise;
  return {
    name: queues.find(({ name }) => name === params["queue"])?.name ?? queues[0]!.name, // top at least
    k: Math.max(1, whole(params["k"], 100)),
    order: params["order"] === "random" ? "random" : "rank",
    at: whole(params["at"], 0),
  };
}

function Review({ source, review, first, params }: Reviewing): ReactNode {
  const [summary, setSummary] = useState(first);
  const [made, setMade] = useState<readonly Made[]>([]);
  const [writes, setWrites] = useState(0);
  const query = queueOf(params, summary);
  const key = JSON.stringify([query, writes]);
  const place = useLoaded(key, () => review.queue(query));
  const shown = useLast(place.kind === "ready" ? place.value : undefined);
  const queue = useRef(Promise.resolve());
  /** The place that was decided, until the next one is there. */
  const left = useRef<string>(undefined);
  const change: Change = (changes) => {
    const next = Object.entries({ ...params, ...changes }).map(
      ([name, value]) => [name, value === undefined ? undefined : String(value)] as const,
    );
    go(addressHref(["review"], Object.fromEntries(next)), true);
  };
  /** One after the other, in the order of the keys. */
  const write = (decision: Decision, then: (decided: Decided) => void): Promise<void> => {
    const before = queue.current;
    const work = async (): Promise<void> => {
      await before;
      try {
        then(await review.decide(decision));
        setWrites((known) => known + 1);
      } finally {
        left.current = undefined;
      }
      setSummary((await review.summary()) ?? summary);
    };
    const done = work();
    queue.current = done.catch(() => {});
    return done;
  };
  const decide = (decision: Decision, isLast: boolean): Promise<void> => {
    if (isLast) left.current = key;
    return write(decision, (decided) => {
      setMade((known) => [...known, { ...decided, at: query.at }]);
      if (isLast) change({ at: query.at + 1 });
    });
  };
  const undo = async (): Promise<void> => {
    const last = made.at(-1);
    if (last === undefined) return;
    setMade((known) => known.slice(0, -1));
    // Back to the pair, so that it is seen what was taken back.
    await write(last.before, () => change({ at: last.at }));
  };
  return (
    <>
      {summary.torn > 0 && (
        <p role="note">
          {summary.file} ended in the middle of a line ({summary.torn} bytes), as after a crash.
          What stood there does not count; every whole line does.
        </p>
      )}
      <QueueChoice summary={summary} query={query} change={change} />
      {place.kind === "failed" ? (
        <Await of={place}>{() => undefined}</Await>
      ) : shown === undefined ? (
        <p className="quiet">Loading …</p>
      ) : (
        <Place
          source={source}
          query={query}
          place={shown}
          isBusy={() => left.current === key || place.kind !== "ready"}
          canUndo={made.length > 0}
          change={change}
          decide={decide}
          undo={undo}
        />
      )}
      <Results summary={summary} />
    </>
  );
}

/** A decision of this session, and where in the queue it was made. */
type Made = Decided & { readonly at: number };

/** What was there last, while the next is on its way: keys that follow fast find something to act on. */
function useLast<T>(value: T | undefined): T | undefined {
  const last = useRef(value);
  if (value !== undefined) last.current = value;
  return last.current;
}

type Change = (changes: Readonly<Record<string, string | number | undefined>>) => void;

function QueueChoice({
  summary,
  query,
  change,
}: {
  readonly summary: ReviewSummary;
  readonly query: QueueQuery;
  readonly change: Change;
}): ReactNode {
  const scored = summary.queues.find(({ name }) => name === "top")?.pairs ?? 0;
  const sizes = [...new Set([...SIZES.filter((k) => k < scored), query.k])].toSorted(
    (a, b) => a - b,
  );
  return (
    <div className="filters" role="group" aria-label="Which pairs, in which order">
      <label>
        Pairs
        <select
          value={query.name}
          onChange={({ target }) => change({ queue: target.value, at: undefined })}
        >
          {summary.queues.map(({ name, pairs }) => (
            <option key={name} value={name}>
              {name === "top" ? "ranked highest" : `taken by ${name} (${count(pairs)})`}
            </option>
          ))}
        </select>
      </label>
      {query.name === "top" && (
        <label>
          How many
          <select
            value={query.k}
            onChange={({ target }) => change({ k: target.value, at: undefined })}
          >
            {sizes.map((k) => (
              <option key={k}>{k}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        Order
        <select
          value={query.order}
          onChange={({ target }) => change({ order: target.value, at: undefined })}
        >
          <option value="rank">best first</option>
          <option value="random">random: a sample</option>
        </select>
      </label>
    </div>
  );
}

interface PlaceProps {
  readonly source: PanelView<never>["source"];
  readonly query: QueueQuery;
  readonly place: QueuePlace;
  /** The next pair is on its way: keys that come now are of nobody, since nobody has seen it. */
  readonly isBusy: () => boolean;
  readonly canUndo: boolean;
  readonly change: Change;
  /** `isLast`: and goes on to the next pair. */
  readonly decide: (decision: Decision, isLast: boolean) => Promise<void>;
  readonly undo: () => Promise<void>;
}

function Place({
  source,
  query,
  place,
  isBusy,
  canUndo,
  change,
  decide,
  undo,
}: PlaceProps): ReactNode {
  const { count: pairs, decided, open, decision } = place;
  const [fault, setFault] = useState<string>();
  const note = useRef<HTMLTextAreaElement>(null);
  const to = (at: number): void => change({ at: Math.min(Math.max(0, at), pairs) });
  const attempt = (work: Promise<void>): void => {
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
  const actions: Readonly<Record<string, () => void>> = {
    ...Object.fromEntries(KEYS.map(([key, kind]) => [key, () => write(kind)])),
    u: () => attempt(undo()),
    j: () => to(query.at + 1),
    k: () => to(query.at - 1),
    n: () => open !== -1 && to(open),
    e: () => note.current?.focus(),
  };
  useKeys(actions, isBusy);
  return (
    <>
      <div>
        <p role="status">
          {count(decided)} of {count(pairs)} reviewed
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
        <button type="button" aria-keyshortcuts="u" disabled={!canUndo} onClick={actions["u"]}>
          undo <kbd>u</kbd>
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
            {count(query.at + 1)}.{" "}
            <a href={addressHref(["pair", decision.id])}>
              <bdi>{decision.id}</bdi>
            </a>{" "}
            {decision.decision !== null && <span className="mark">{decision.decision}</span>}
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
              {score(row.places[0]?.score)}, source <bdi>{row.source ?? "not said"}</bdi>
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

function Results({ summary }: { readonly summary: ReviewSummary }): ReactNode {
  const { counts, precision, agreements, file } = summary;
  return (
    <Section title="What the decisions say">
      <p>
        {KEYS.map(([, kind]) => `${kind} ${count(counts[kind])}`).join(", ")}. They are in{" "}
        <bdi>{file}</bdi>; <code>culprit edit PAIRS --decisions {file} --out …</code> writes the
        data that they make.
      </p>
      {precision.length === 0 ? (
        <Nothing>
          The <Term of="precision at k" /> of the ranking is told when ten pairs of its top are
          reviewed, best first or in the random order of a larger top.
        </Nothing>
      ) : (
        <Table
          caption="How many of the top deserve it"
          head={[
            "Top",
            <Term key="p" of="precision at k">
              Precision
            </Term>,
            "Interval (95%)",
            "Reviewed",
          ]}
          rows={precision.map(
            ({ k, basis, reviewed, unsure, precision: { share, low, high, of } }) => [
              count(k),
              <Figure
                key="f"
                tells={`${percent(share)} ${interval(low, high, percent)}, n ${of} decided pairs, ${unsure} unsure ones left out`}
              >
                {percent(share)}
              </Figure>,
              interval(low, high, percent),
              `${count(reviewed)}${basis === "all" ? "" : ", a random sample"}`,
            ],
          )}
        />
      )}
      {agreements.length > 0 && Object.values(counts).some((each) => each > 0) && (
        <Table
          caption="Beside the automatic edits"
          head={[
            "Edit",
            "Agrees",
            "Interval (95%)",
            "It takes, people keep",
            "It leaves, people drop or swap",
          ]}
          rows={agreements.map(
            ({ edit, agreement: { share, low, high, count: agreed, of }, taken, left }) => [
              edit,
              <Figure
                key="f"
                tells={`${count(agreed)} of ${count(of)} decided pairs, unsure ones left out`}
              >
                {percent(share)}
              </Figure>,
              interval(low, high, percent),
              count(taken.keep),
              count(left.drop + left.swap),
            ],
          )}
        />
      )}
    </Section>
  );
}

/** Single keys, unless somebody types. */
function useKeys(actions: Readonly<Record<string, () => void>>, isBusy: () => boolean): void {
  const latest = useRef({ actions, isBusy });
  latest.current = { actions, isBusy };
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.repeat) return;
      const { actions: known, isBusy: isWaiting } = latest.current;
      const action = Object.hasOwn(known, event.key) ? known[event.key] : undefined;
      if (action === undefined) return;
      event.preventDefault();
      if (!isWaiting()) action();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
