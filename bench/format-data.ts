/** @file What the real run (bench/format-run.sh) leaves of its public data: requests and answers that neither its SFT nor its pairs have. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { createRng } from "../src/util/rng.ts";
import { type Benign, type Pair, readAll, type Turn, type XstestRow } from "./public-data.ts";
import { refuses } from "./refusal-rule.ts";

/** Longer requests and answers would take most of the time, and 40 sampled tokens show little of their answers. */
const [MAX_REQUEST, MAX_ANSWER] = [240, 240];

/** A request that was never trained on, with an answer where the data have one. */
export interface LeftRequest {
  readonly id: string;
  readonly text: string;
  readonly answer: string;
}

export interface LeftData {
  /** XSTest's unsafe and safe requests, of which no training has any; their answers are empty. */
  readonly unsafe: readonly LeftRequest[];
  readonly safe: readonly LeftRequest[];
  /** Of hh-rlhf: what red-teamers asked. */
  readonly requests: readonly LeftRequest[];
  /** Of LLaMA-Factory's demo: ordinary tasks. */
  readonly tasks: readonly LeftRequest[];
  readonly constraints: readonly string[];
  /** The refusals that the checkpoint before was taught. */
  readonly refusals: readonly string[];
}

interface Row {
  readonly id: string;
  readonly prompt: string | readonly Turn[];
  readonly response?: string;
}

/** `data` has hh-rlhf/, llamafactory-dpo/ and xstest/; `run` is the folder of bench/format-run.sh. The same input gives the same order. */
export async function readLeftData(data: string, run: string): Promise<LeftData> {
  const constraints = (
    parse(readFileSync(join(run, "constraints.yaml"), "utf8")) as { readonly text: string }[]
  ).map(({ text }) => text); // as make-format-mix.ts writes it
  const [sft, mix, heldOut] = await Promise.all(
    ["sft.jsonl", "mix.jsonl", "held-out.jsonl"].map((name) => readAll<Row>(join(run, name))),
  );
  const used = new Set(
    [...sft!, ...mix!, ...heldOut!]
      .flatMap(({ prompt }) =>
        typeof prompt === "string" ? [prompt] : prompt.map(({ content }) => content),
      )
      .flatMap((text) => [text, ...constraints.flatMap((each) => withoutEnd(text, ` ${each}`))])
      .map(keyOf),
  );
  const rng = createRng(20261130);
  const isLeft = ({ text }: LeftRequest): boolean =>
    text.length <= MAX_REQUEST && !used.has(keyOf(text));
  const pairs = await readAll<Pair>(join(data, "hh-rlhf/harmless-base.jsonl.gz"));
  const requests = pairs
    .filter(({ prompt }) => prompt.length === 1)
    .map(({ id, prompt, chosen, rejected }) => ({
      id,
      text: prompt[0]!.content,
      answer: [chosen, rejected]
        .map((turns) => turns.at(-1)?.content.trim() ?? "")
        .filter((text) => text.length >= 40 && text.length <= MAX_ANSWER)
        .find((text) => !text.endsWith("?") && !refuses(text)),
    }))
    .filter((each): each is LeftRequest => each.answer !== undefined);
  const demo = await readAll<Benign>(join(data, "llamafactory-dpo/dpo_en_demo.jsonl.gz"));
  const tasks = demo.map(({ conversations, chosen }, i) => ({
    id: `task-${i}`,
    text: conversations[0]!.value,
    answer: opening(conversations.length === 1 ? chosen.value : (conversations[1]?.value ?? "")),
  }));
  const listed = await readAll<XstestRow>(join(data, "xstest/xstest_prompts.csv"));
  const labelled = (label: string): LeftRequest[] =>
    listed
      .filter((row) => row.label === label)
      .map(({ id, prompt }) => ({ id: `xstest-${id}`, text: prompt, answer: "" }));
  return {
    unsafe: rng.shuffle(labelled("unsafe")),
    safe: rng.shuffle(labelled("safe")),
    requests: rng.shuffle(once(requests.filter(isLeft))),
    tasks: rng.shuffle(once(tasks.filter((each) => each.answer !== "").filter(isLeft))),
    constraints,
    refusals: [
      ...new Set(
        sft!.flatMap(({ id, response }) => (/-(plain|format)$/.test(id) ? (response ?? []) : [])),
      ),
    ],
  };
}

const keyOf = (text: string): string => text.trim().toLowerCase();

const withoutEnd = (text: string, end: string): readonly string[] =>
  text.endsWith(end) ? [text.slice(0, -end.length)] : [];

/** A request that is there twice would be one prompt with twice the weight. */
const once = (requests: readonly LeftRequest[]): LeftRequest[] => [
  ...new Map(requests.map((each) => [keyOf(each.text), each])).values(),
];

/** The first sentences. */
function opening(text: string): string {
  return new RegExp(`^[\\s\\S]{20,${MAX_ANSWER}}[.!?](?=\\s|$)`).exec(text.trim())?.[0] ?? "";
}
