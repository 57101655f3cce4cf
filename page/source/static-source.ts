import type { PairTable } from "../../src/report/pair-table.ts";
import type {
  PairDetail,
  PairSummary,
  PartName,
  PartValues,
  ReportSource,
} from "../../src/report/report-source.ts";
import { loadData } from "./load-data.ts";
import { queryPairs } from "./query-pairs.ts";

/** A report from disk. The writer of the report made the data with the types that stand here. */
export function createStaticSource(): ReportSource {
  const table = async (): Promise<PairTable | undefined> =>
    ((await loadData("pairs")) as PairTable | null) ?? undefined;
  return {
    part: async <N extends PartName>(name: N) =>
      ((await loadData(name)) as PartValues[N] | null) ?? undefined,
    pairSummary: async (): Promise<PairSummary | undefined> => (await table())?.summary,
    pairs: async (query) => {
      const found = await table();
      return found === undefined
        ? { count: 0, rows: () => [], indexOf: () => -1 }
        : queryPairs(found, query);
    },
    tokens: async (id) => {
      const found = await table();
      const at = found?.ids.indexOf(id) ?? -1;
      if (found === undefined || at === -1)
        return { absent: "this report has no row for the pair" };
      const { top, within, beyond } = found.unshaded;
      return { absent: at < top ? within : beyond };
    },
    pair: async (id) => {
      const found = await table();
      const at = found?.ids.indexOf(id) ?? -1;
      const chunk = found?.chunks[at] ?? -1;
      if (chunk === -1) return undefined;
      const details = (await loadData(`texts-${chunk}`)) as readonly PairDetail[];
      return details.find((each) => each.id === id);
    },
  };
}
