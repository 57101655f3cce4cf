import { z } from "zod";

import { STRUCTURED_MODES } from "../../judge/llm-judge-options.ts";
import {
  createPairJudge,
  pairQuestions,
  questionLeft,
  type PairOpinion,
} from "../../judge/pair-judge.ts";
import { countRequest, priced } from "../../rollouts/estimate-rollouts.ts";
import { percent, signed } from "../../util/figures.ts";
import { mapOrdered } from "../../util/map-ordered.ts";
import { descriptionSetting, lacksDescription } from "../description-setting.ts";
import { defineMethod, type Scored } from "../method.ts";
import { textRows } from "../read-text.ts";

/** Pairs that are begun and not yet handed on. */
const WINDOW = 512;

/**
 * An LLM says which of the two responses shows the behaviour more, from -10 to 10, seeing both and asked in both orders (as a rival of the
 * probe in arXiv 2602.11079): (s₁ − s₂) / 20, s₁ the answer with the chosen response first, s₂ with the rejected one first. With 8 and -4:
 * 12 / 20 = 0.6; that the first place is worth (8 − 4) / 20 = 0.2 takes nothing from it. A pair of which either answer is missing has no
 * score.
 */
export const judge = defineMethod({
  name: "judge",
  meaning:
    "An LLM that sees both responses, in both orders, finds the behaviour more in the chosen one.",
  settings: z.strictObject({
    description: descriptionSetting,
    temperature: z.number().min(0).max(2).default(0).describe("judge: of its answers."),
    maxTokens: z
      .int()
      .min(1)
      .max(100_000)
      .default(300)
      .describe("judge: tokens of an answer, at most; one that thinks needs more."),
    structured: z.enum(STRUCTURED_MODES).default("auto").meta({
      description:
        "judge: whether answers are asked for by a JSON schema; auto: while the endpoint takes it.",
      counts: false,
    }),
  }),
  needs: ["pairs", "endpoint"],
  lacks: lacksDescription("judge"),
  describe: () => ({
    formula:
      "how much more an LLM finds the behaviour in the chosen response than in the rejected one, -1 to 1, the mean over both orders",
    traits: { isBounded: true, null: "none", hasVerdict: false, hasLayer: false },
  }),
  estimate: async (task, { description = "", maxTokens, temperature }, how) => {
    const { endpoint, store, prices, isAnew = false, signal } = how;
    const seen = new Set<string>();
    const counts = { rollouts: 0, cached: 0, requests: 0, promptTokens: 0 };
    for await (const { pair } of textRows(task, { signal }, "conversation").read()) {
      counts.rollouts++;
      const rubric = { description, maxTokens };
      for (const { messages, key } of pairQuestions(pair, rubric, { endpoint, temperature })) {
        const isLeft = !seen.has(key) && questionLeft((await store?.answers(key)) ?? [], isAnew);
        seen.add(key);
        if (isLeft) countRequest(counts, messages);
        else counts.cached++;
      }
    }
    return { ...counts, ...priced(counts, maxTokens, prices) };
  },
  score: async ({ endpoint, ...task }, { description = "", maxTokens, ...how }, work) => {
    const llm = createPairJudge({ ...endpoint, ...how, rubric: { description, maxTokens } });
    const scores = new Float32Array(task.rows.ids.length).fill(Number.NaN);
    const rows = textRows(task, work, "conversation");
    const missing = new Map<number, string>();
    const tally = createTally();
    const opinions = mapOrdered(
      rows.read(),
      { window: WINDOW, signal: work.signal },
      async ({ row, pair }, signal) => ({ row, opinion: await llm.compare(pair, signal) }),
    );
    for await (const { row, opinion } of opinions) {
      if ("missing" in opinion) {
        missing.set(row, opinion.missing);
        continue;
      }
      scores[row] = opinion.score;
      tally.add(opinion);
    }
    work.count({ money: llm.usage.cost });
    const said = tally.summary();
    const remarks = [...(said.remarks ?? []), ...rows.remarks()];
    const causes = new Map([...rows.causes, ...missing]);
    return [{ scores, causes, ...said, remarks, usage: llm.usage }];
  },
});

type Opinion = Exclude<PairOpinion, { readonly missing: string }>;

/** What the two orders say of the judge itself. */
function createTally(): {
  add(opinion: Opinion): void;
  summary(): Pick<Scored, "remarks" | "warnings" | "figures">;
} {
  let [judged, ties, same, firstPlace] = [0, 0, 0, 0];
  /** What the place moves the verdicts by, and what the responses do. */
  let [byPlace, bySaid] = [0, 0];
  return {
    add(opinion) {
      judged++;
      if (opinion.score === 0 && opinion.firstPlace === 0) ties++;
      else if (opinion.isSame) same++;
      firstPlace += opinion.firstPlace;
      byPlace += Math.abs(opinion.firstPlace);
      bySaid += Math.abs(opinion.score);
    },
    summary() {
      if (judged === 0) return {};
      const told = judged - ties;
      const positionBias = firstPlace / judged;
      const agreement = told === 0 ? undefined : same / told;
      const bias = `Position bias ${signed(positionBias)} (-1 to 1; above 0 the response shown first is found to show the behaviour more)`;
      const orders =
        agreement === undefined
          ? "the judge told no pair apart in either order"
          : `both orders find it more in the same response in ${percent(agreement)} of ${told} pairs, ${ties} more are ties in both`;
      const isSuspect = told > 0 && byPlace >= bySaid;
      return {
        remarks: [`${bias}; ${orders}.`],
        warnings: isSuspect
          ? [
              `the judge goes by the place of the responses at least as much as by what they say: ${bias}; ${orders}`,
            ]
          : [],
        figures: {
          positionBias,
          tiedPairs: ties,
          ...(agreement !== undefined && { sameInBothOrders: agreement }),
        },
      };
    },
  };
}
