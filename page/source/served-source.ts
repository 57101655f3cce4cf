import type {
  Decided,
  PairDetail,
  PairList,
  PairQuery,
  PairRow,
  PairSummary,
  PartName,
  PartValues,
  QueuePlace,
  ReportSource,
  ReviewSummary,
  RunProgress,
  TokensAnswer,
} from "../../src/report/report-source.ts";

/** Rows that are asked for at once. */
const PAGE = 100;

type Values = Readonly<Record<string, string | number | undefined>>;

/** A report that a server answers. Its answers were checked there. */
export function createServedSource(): ReportSource {
  return {
    part: <N extends PartName>(name: N) => ask<PartValues[N]>("part", { name }),
    pairSummary: () => ask<PairSummary>("summary"),
    pairs: (query) => openList(query),
    pair: (id) => ask<PairDetail>("pair", { id }),
    tokens: async (id) => (await ask<TokensAnswer>("tokens", { id })) ?? { absent: "no such pair" },
    progress: async () => (await ask<RunProgress>("progress"))!, // every server has it
    review: {
      summary: () => ask<ReviewSummary>("review"),
      queue: (query) => ask<QueuePlace>("queue", { ...query }),
      decide: async (decision) => (await ask<Decided>("decision", {}, decision))!, // or a fault
    },
  };
}

/** Whether this page came from the server of a report. */
export const isServed = (): boolean =>
  document.querySelector('meta[name="culprit-source"]') !== null;

interface Page {
  readonly count: number;
  readonly rows: readonly PairRow[];
  readonly index?: number | undefined;
}

/** A list of which pages come as they are asked for, each once. */
async function openList({ isDescending, ...query }: PairQuery): Promise<PairList> {
  const values = { ...query, descending: String(isDescending) };
  const get = async (more: Values): Promise<Page> =>
    (await ask<Page>("pairs", { ...values, ...more })) ?? { count: 0, rows: [], index: -1 };
  const pages = new Map<number, readonly PairRow[] | Promise<readonly PairRow[]>>();
  const page = (number: number): readonly PairRow[] | Promise<readonly PairRow[]> => {
    const known = pages.get(number);
    if (known !== undefined) return known;
    const start = number * PAGE;
    const asked = get({ start, end: start + PAGE }).then(({ rows }) => {
      pages.set(number, rows);
      return rows;
    });
    pages.set(number, asked);
    asked.catch(() => pages.delete(number));
    return asked;
  };
  const first = await get({ start: 0, end: PAGE });
  pages.set(0, first.rows);
  return {
    count: first.count,
    rows: (start, end) => {
      const from = Math.floor(start / PAGE);
      const found = Array.from({ length: Math.max(0, Math.ceil(end / PAGE) - from) }, (_, i) =>
        page(from + i),
      );
      const cut = (rows: readonly (readonly PairRow[])[]): readonly PairRow[] =>
        rows.flat().slice(start - from * PAGE, end - from * PAGE);
      const there = found.filter((each): each is readonly PairRow[] => Array.isArray(each));
      return there.length === found.length
        ? cut(there)
        : Promise.all(found.map((each) => Promise.resolve(each))).then(cut);
    },
    indexOf: async (id) => (await get({ start: 0, end: 0, id })).index ?? -1,
  };
}

/** Undefined where the server has nothing of it. `body` is sent as JSON. */
async function ask<T>(path: string, values: Values = {}, body?: object): Promise<T | undefined> {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  const headers = { "culprit-absent": "null" }; // what is not there is no fault for the browser's console
  const sent = body && {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(
    `/api/${path}?${new URLSearchParams(given).toString()}`,
    sent ?? { headers },
  ).catch(() => {
    throw new Error("The server does not answer: it has ended. Start it again.");
  });
  const answer = (await response.json()) as (T & { readonly error?: string }) | null; // checked there
  if (!response.ok) throw new Error(answer?.error ?? `The server says ${response.status}.`);
  return answer ?? undefined;
}
