import type { AnswerStore } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import type { Prices } from "../endpoint/money.ts";
import type { Rubric } from "./rubric.ts";

/** `auto`: asked for until the endpoint refuses it. */
export const STRUCTURED_MODES = ["auto", "on", "off"] as const;
export type StructuredMode = (typeof STRUCTURED_MODES)[number];

export interface LlmJudgeOptions extends AskingOptions {
  readonly rubric: Rubric;
}

/** How questions to an LLM are asked, whatever they are about. */
export interface AskingOptions {
  /** What is to be answered. */
  readonly rubric: Pick<Rubric, "name" | "answer" | "maxTokens">;
  readonly asker: Asker;
  /** Every answer goes in before it counts; answers that are in it are not asked for. */
  readonly store: AnswerStore;
  readonly prices?: Prices | undefined;
  /** Everything that the store ever paid counts against it. Needs prices. */
  readonly maxCost?: number | undefined;
  /** Default 0. */
  readonly temperature?: number | undefined;
  /** Default auto. */
  readonly structured?: StructuredMode | undefined;
  /** Unreadable answers to one question before it is given up. Default 3. */
  readonly answers?: number | undefined;
  /** Ask anew, once, about what has no readable answer although it was asked often enough. Default false. */
  readonly isAnew?: boolean | undefined;
}

/** What judging took so far. */
export interface JudgeUsage {
  /** Rollouts with a text to judge, those aside that the budget did not reach. */
  wanted: number;
  /** Of them, those about which the judge said nothing. */
  unanswered: number;
  /** Verdicts that needed no request. */
  cached: number;
  /** Answers of this run. */
  answers: number;
  /** Verdicts that are missing because the stored answers cannot be read: isAnew would ask again. */
  unreadable: number;
  /** Of this run's answers, those with estimated tokens; tokens and cost are also of answers that came broken. */
  estimated: number;
  promptTokens: number;
  completionTokens: number;
  /** In the currency of the prices. */
  cost: number;
  /** Whether the endpoint holds answers to the schema; undefined before the first answer. */
  isStructured: boolean | undefined;
}
