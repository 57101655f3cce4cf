/** @file Texts as vectors: by an endpoint that serves embeddings, or by the states of a checkpoint. */
import { answerKey } from "../endpoint/answer-key.ts";
import { BEYOND_BUDGET } from "../endpoint/asker.ts";
import type { ChatRequest } from "../endpoint/chat-endpoint.ts";
import { decodeVector } from "../endpoint/embedding-endpoint.ts";
import { EndpointFault } from "../endpoint/endpoint-fault.ts";
import { costOf, type TokenCount, withCounts } from "../endpoint/money.ts";
import type { PaidAsking } from "../endpoint/paid-asking.ts";
import type { TokenizedExample } from "../engine/engine.ts";
import { openBooks } from "../judge/ask-judge.ts";
import type { JudgeUsage } from "../judge/llm-judge-options.ts";
import { mapOrdered } from "../util/map-ordered.ts";
import type { MethodWork } from "./method.ts";
import { tokensOf } from "./pair-examples.ts";
import type { ScoringModel } from "./scoring-model.ts";

/** A text's vector, or why there is none. */
export type TextVector = Float32Array | { readonly missing: string };

export interface TextEmbedder {
  /** What it is, for remarks. */
  readonly name: string;
  /** In the order of the texts. */
  embed(texts: readonly string[]): Promise<readonly TextVector[]>;
  /** Of an endpoint. */
  readonly usage?: Readonly<JudgeUsage> | undefined;
}

/** The mean residual stream after the last block over a text by itself, without template, cut to the context. */
export function embedByStates(
  { engine, flopsToLayer }: ScoringModel,
  { signal, count }: Pick<MethodWork, "signal" | "count">,
): TextEmbedder {
  const { layerCount, maxPositions, name } = engine.identity;
  return {
    name: `the states of ${name} after its last block`,
    async embed(texts) {
      const found: TextVector[] = texts.map(() => ({ missing: "empty text" }));
      const examples: TokenizedExample[] = [];
      const places: number[] = [];
      for (const [i, text] of texts.entries()) {
        const tokens = engine.tokenizeText(text).subarray(0, maxPositions);
        if (text === "" || tokens.length === 0) continue;
        examples.push({ prompt: new Int32Array(0), responses: [tokens] });
        places.push(i);
      }
      for await (const { index, means } of engine.embed(examples, {
        layers: [layerCount],
        signal,
      })) {
        found[places[index]!] = means[0]!; // one response
        const tokens = tokensOf(examples[index]!);
        count({ tokens, flops: tokens * flopsToLayer(layerCount) });
      }
      return found;
    },
  };
}

/** Texts begun and not yet handed on. */
const WINDOW = 1024;

/** The vectors that an endpoint gives; every paid one is kept before it counts. */
export function embedByEndpoint(
  endpoint: PaidAsking,
  { signal }: Pick<MethodWork, "signal">,
): TextEmbedder {
  const { usage, purse } = openBooks(endpoint);
  const { asker, store, prices } = endpoint;
  const priced = <T extends TokenCount>(taken: T): T & { readonly cost?: number | undefined } =>
    prices === undefined ? taken : { ...taken, cost: costOf(taken, prices) };
  const add = (taken: TokenCount & { readonly cost?: number | undefined }): void => {
    usage.promptTokens += taken.promptTokens;
    usage.completionTokens += taken.completionTokens;
    usage.cost += taken.cost ?? 0;
    if (taken.isEstimated === true) usage.estimated++;
  };
  const askFor = async (text: string, inner: AbortSignal): Promise<TextVector> => {
    const { key, request } = embeddingQuestion(text, asker.endpoint);
    const kept = (await store.answers(key)).at(-1);
    if (kept !== undefined) {
      usage.wanted++;
      usage.cached++;
      return decodeVector(kept.text);
    }
    const onBroken = async (taken: TokenCount): Promise<void> => {
      add(priced(taken));
      await store.appendBroken(key, priced(taken));
    };
    try {
      const asked = { signal: inner, purse, onBroken };
      const answer = priced(
        withCounts(request, await asker.ask(request, asker.allowance(), asked)),
      );
      usage.wanted++;
      usage.answers++;
      add(answer);
      await store.append(key, answer);
      return decodeVector(answer.text);
    } catch (error) {
      if (!(error instanceof EndpointFault)) throw error;
      if (error.what !== BEYOND_BUDGET) {
        usage.wanted++;
        usage.unanswered++;
      }
      return { missing: error.what };
    }
  };
  return {
    name: `the model ${asker.endpoint.model}`,
    usage,
    async embed(texts) {
      // The same text is asked about once.
      const asked = new Map<string, Promise<TextVector>>();
      const one = (text: string, inner: AbortSignal): Promise<TextVector> => {
        const found = asked.get(text) ?? askFor(text, inner);
        asked.set(text, found);
        return found;
      };
      const found: TextVector[] = [];
      for await (const each of mapOrdered(texts, { window: WINDOW, signal }, one)) found.push(each);
      return found;
    },
  };
}

/** What is asked about a text, and the key that its vector is kept under. */
export function embeddingQuestion(
  text: string,
  endpoint: Parameters<typeof answerKey>[0],
): { readonly key: string; readonly request: ChatRequest } {
  return {
    key: answerKey(endpoint, { kind: "embedding", text }),
    request: { messages: [{ role: "user", content: text }], maxTokens: 0, temperature: 0 },
  };
}
