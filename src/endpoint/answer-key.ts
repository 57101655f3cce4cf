import { hashValue } from "../util/hash.ts";

/** Who answers. */
export interface AnswererName {
  readonly baseUrl: string;
  readonly model: string;
}

/**
 * An endpoint as answers are kept under it: its address, however that is written, and its model's name. Servers of different models often
 * call them the same, so the name alone would hand out the answers of one as another's.
 */
export function answererName({ baseUrl, model }: AnswererName): AnswererName {
  const address = URL.canParse(baseUrl) ? new URL(baseUrl).href : baseUrl;
  return { baseUrl: address.replace(/\/+$/, ""), model };
}

/** The key of an answer: of who gives it and of everything that it depends on. */
export function answerKey(
  endpoint: AnswererName,
  question: {
    readonly kind: "rollout" | "verdict" | "comparison" | "embedding" | "name";
  } & Readonly<Record<string, unknown>>,
): string {
  return hashValue({ ...question, ...answererName(endpoint) });
}
