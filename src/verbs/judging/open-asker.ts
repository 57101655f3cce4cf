import { existsSync } from "node:fs";
import { dirname } from "node:path";

import {
  type AnswerStore,
  type AnswerStoreOptions,
  openAnswerStore,
} from "../../endpoint/answer-store.ts";
import { type Asker, createAsker } from "../../endpoint/asker.ts";
import { openChatEndpoint } from "../../endpoint/chat-endpoint.ts";
import { keyOfVariable } from "../../endpoint/check-endpoint.ts";
import { openEmbeddingEndpoint } from "../../endpoint/embedding-endpoint.ts";
import { costOf, type Prices } from "../../endpoint/money.ts";
import { endpointLedger } from "../../judge/endpoint-ledger.ts";
import { makeFolder } from "../../util/make-folder.ts";
import type { AskedEndpoint } from "../settings/endpoint.ts";
import { type Contradiction, need, type Work } from "../verb.ts";

export interface OpenAskerOptions {
  /** What the endpoint's settings are called in errors. Default: endpoint. */
  readonly setting?: string | undefined;
  /** As createAsker takes it. */
  readonly note?: ((line: string) => void) | undefined;
  /** What is asked of it. Default: chats. */
  readonly serves?: "embeddings" | undefined;
}

/**
 * The endpoint that settings describe, with its retries and limits; sends nothing yet. The key is read from the environment here and kept
 * nowhere. Throws ConfigError naming `setting` where the variable is not set.
 */
export function openAsker(
  settings: AskedEndpoint,
  { setting = "endpoint", note, serves }: OpenAskerOptions = {},
): Asker {
  const { baseUrl, model, timeout, apiKeyEnv, ...pace } = settings;
  const open = serves === "embeddings" ? openEmbeddingEndpoint : openChatEndpoint;
  const endpoint = open({
    baseUrl,
    model,
    apiKey: keyOfVariable(`${setting}.apiKeyEnv`, apiKeyEnv),
    timeoutMs: timeout * 1000,
  });
  return createAsker(endpoint, { ...pace, note });
}

/** Prices where there are both. */
export function pricesOf({ priceIn, priceOut }: AskedEndpoint): Prices | undefined {
  if (priceIn === undefined || priceOut === undefined) return undefined;
  return { promptPerMillion: priceIn, completionPerMillion: priceOut };
}

function openAnswers(
  path: string,
  endpoint: AskedEndpoint,
  options: AnswerStoreOptions,
): Promise<AnswerStore> {
  const prices = pricesOf(endpoint);
  return openAnswerStore(path, (answer) => costOf(answer, prices), options);
}

/** An endpoint that can be asked, and the answers of it that are kept. */
export interface Asking extends AsyncDisposable {
  readonly asker: Asker;
  readonly store: AnswerStore;
  readonly prices: Prices | undefined;
}

/** Opens both, whose costs the meter sees from then on; `setting` is what errors call the endpoint. */
export async function openAsking(
  endpoint: AskedEndpoint,
  answers: string,
  {
    owner,
    cost,
    note,
    setting,
    serves,
  }: Pick<Work, "owner" | "cost" | "note"> & Pick<OpenAskerOptions, "setting" | "serves">,
): Promise<Asking> {
  const asker = openAsker(endpoint, { setting, note, serves });
  const prices = pricesOf(endpoint);
  await makeFolder(dirname(answers));
  const store = await openAnswers(answers, endpoint, { owner });
  cost.watchEndpoint(endpointLedger(asker, store, prices !== undefined));
  return { asker, store, prices, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

/** The answers that are there already, for estimates. */
export async function readAnswers(
  endpoint: AskedEndpoint,
  answers: string | undefined,
): Promise<AnswerStore | undefined> {
  if (answers === undefined || !existsSync(answers)) return undefined;
  return openAnswers(answers, endpoint, { isReadOnly: true });
}

/** What asking came to is paid for where it fails, too, and says what went wrong. */
export async function noting<T>(
  work: Promise<T>,
  lines: () => readonly string[],
  { note }: Pick<Work, "note">,
): Promise<T> {
  return work.catch((error: unknown) => {
    for (const line of lines()) note(line);
    throw error;
  });
}

/** A price by itself gives no costs. */
export function priceContradictions(
  endpoint: AskedEndpoint | undefined,
  at: readonly string[],
): readonly Contradiction[] {
  const given = endpoint?.priceIn === undefined ? "priceOut" : "priceIn";
  return need(
    (endpoint?.priceIn === undefined) === (endpoint?.priceOut === undefined),
    [...at, given],
    "expected both priceIn and priceOut, got one",
  );
}
