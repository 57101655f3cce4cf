import { answerKey, type AnswererName } from "../endpoint/answer-key.ts";
import type { AnswerSchema } from "../endpoint/chat-endpoint.ts";
import type { Message } from "../format/messages.ts";
import { hashText } from "../util/hash.ts";
import type { Rubric, RubricAnswer } from "./rubric.ts";

/** A question to the judge, without what the endpoint adds. */
export interface RubricRequest {
  readonly messages: readonly Message[];
  /** Of everything that the answer depends on: messages, endpoint, model, sampling. The threshold is none of it. */
  readonly key: string;
}

/** Writes the question about one response. `prompt` and `response` are data: nothing in them is filled in or can end their part. */
export function rubricMessages(rubric: Rubric, prompt: string, response: string): Message[] {
  const fill = (p: string, r: string): Message => ({
    role: "user",
    content: fillTemplate(rubric.user, { prompt: p, response: r, fence: fenceOf(p, r) }),
  });
  return [
    { role: "system", content: `${rubric.system.trim()}\n\n${answerInstructions(rubric.answer)}` },
    ...rubric.examples.flatMap((example): Message[] => [
      fill(example.prompt, example.response),
      { role: "assistant", content: exampleAnswer(rubric.answer, example) },
    ]),
    fill(prompt, response),
  ];
}

/** The messages with the key that their answers are stored under. */
export function rubricRequest(
  rubric: Rubric,
  rollout: { readonly prompt: readonly Message[]; readonly response: string },
  settings: {
    readonly endpoint: AnswererName;
    readonly temperature: number;
    readonly maxTokens: number;
  },
): RubricRequest {
  const messages = rubricMessages(rubric, promptText(rollout.prompt), rollout.response);
  const { endpoint, ...sampling } = settings;
  return { messages, key: answerKey(endpoint, { kind: "verdict", messages, ...sampling }) };
}

/** The turns of a prompt as one text; a single user turn is its own text. */
export function promptText(prompt: readonly Message[]): string {
  const [only] = prompt;
  if (prompt.length === 1 && only?.role === "user") return only.content;
  return prompt.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
}

/** Follows from the texts, so the same question is the same text, and cannot stand in them. */
export const fenceOf = (...texts: readonly string[]): string =>
  hashText(JSON.stringify(texts)).slice(0, 12);

/** In one pass: what is filled in is not looked at again. */
function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(prompt|response|fence)\}/g, (_, name: string) => values[name]!);
}

/** What the answer must look like, a sentence. */
export function answerInstructions(answer: RubricAnswer): string {
  const value =
    answer.kind === "score"
      ? `"score": a number from ${answer.low} to ${answer.high}`
      : `"label": ${Object.keys(answer.labels)
          .map((each) => JSON.stringify(each))
          .join(" or ")}`;
  return `Answer with one JSON object and nothing else: {"reason": one short sentence, ${value}}`;
}

function exampleAnswer(
  answer: RubricAnswer,
  { value, reason }: { readonly value: number | string; readonly reason: string },
): string {
  return JSON.stringify({ reason, [answer.kind]: value });
}

/** The schema of an answer, for endpoints that hold the model to it. */
export function answerSchema(answer: RubricAnswer): AnswerSchema {
  const value =
    answer.kind === "score"
      ? { score: { type: "number" } }
      : { label: { type: "string", enum: Object.keys(answer.labels) } };
  return {
    name: "verdict",
    schema: {
      type: "object",
      properties: { reason: { type: "string" }, ...value },
      required: ["reason", answer.kind],
      additionalProperties: false,
    },
  };
}
