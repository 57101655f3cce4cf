/**
 * @file The tokenizers library itself (Rust), behind synchronous calls. Its `encode` gives a promise, while texts are tokenised in
 * the middle of code that does not wait; so the library runs in a thread, and the caller sleeps until that has answered. A call
 * costs some 50 µs on top of the library's work.
 */
import { createRequire } from "node:module";
import {
  MessageChannel,
  type MessagePort,
  Worker,
  receiveMessageOnPort,
} from "node:worker_threads";

import { RuntimeError } from "../util/errors.ts";
import type { AddedToken } from "./tokenizer-added-tokens.ts";

/** Far longer than the largest text takes; a thread that says nothing by then is dead. */
const MAX_WAIT_MS = 600_000;

/** What the library said when it refused a file or a text. */
export class TokenizersError extends RuntimeError {}

/** A tokenizer of the library. Every call throws TokenizersError where the library refuses it. */
export interface NativeTokenizer {
  /** The ids of texts that are valid Unicode. */
  encode(texts: readonly string[], addSpecialTokens: boolean): readonly Int32Array[];
  /** The texts of lists of ids; ids that are not in use are passed over. */
  decode(lists: readonly (readonly number[])[], skipSpecialTokens: boolean): readonly string[];
  /** The ids of tokens by their text, -1 where there is none. */
  idsOf(tokens: readonly string[]): readonly number[];
}

type Request = { readonly handle: number } & (
  | { readonly kind: "open"; readonly json: string; readonly added: readonly AddedToken[] }
  | { readonly kind: "encode"; readonly texts: readonly string[]; readonly special: boolean }
  | {
      readonly kind: "decode";
      readonly lists: readonly (readonly number[])[];
      readonly skip: boolean;
    }
  | { readonly kind: "ids"; readonly tokens: readonly string[] }
  | { readonly kind: "close" }
);

/** The tokenizer that a tokenizer.json describes, with `added` added to it as its `add_tokens` does. */
export async function openNativeTokenizer(
  json: string,
  added: readonly AddedToken[],
): Promise<NativeTokenizer> {
  thread ??= startThread();
  const call = await thread;
  const handle = nextHandle++;
  call({ kind: "open", handle, json, added });
  const tokenizer: NativeTokenizer = {
    // What comes back is what the thread below sends for this kind.
    encode: (texts, special) => call({ kind: "encode", handle, texts, special }) as Int32Array[],
    decode: (lists, skip) => call({ kind: "decode", handle, lists, skip }) as string[],
    idsOf: (tokens) => call({ kind: "ids", handle, tokens }) as number[],
  };
  forgotten.register(tokenizer, () => call({ kind: "close", handle }));
  return tokenizer;
}

type Call = (request: Request) => unknown;

/** One for the process: it starts once, and works on one call at a time as its callers do. */
let thread: Promise<Call> | undefined;
let nextHandle = 0;
const forgotten = new FinalizationRegistry<() => void>((close) => close());

/** Plain JavaScript, because a thread starts without the loader that reads TypeScript. */
const THREAD = `
const { workerData: { library, port, signal } } = require("node:worker_threads");
const { AddedToken, Tokenizer } = require(library);
const tokenizers = new Map();

function open({ handle, json, added }) {
  const tokenizer = Tokenizer.fromString(json);
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  tokenizer.addAddedTokens(added.map(({ content, special, lstrip, rstrip, singleWord, normalized }) =>
    new AddedToken(content, special, { leftStrip: lstrip, rightStrip: rstrip, singleWord, normalized })));
  tokenizers.set(handle, tokenizer);
}

async function answer(request) {
  const tokenizer = tokenizers.get(request.handle);
  switch (request.kind) {
    case "open": return open(request);
    case "close": return void tokenizers.delete(request.handle);
    case "decode": return tokenizer.decodeBatch(request.lists, request.skip);
    case "ids": return request.tokens.map((token) => tokenizer.tokenToId(token) ?? -1);
    case "encode": {
      const encodings = await tokenizer.encodeBatch(request.texts, { addSpecialTokens: request.special });
      return encodings.map((encoding) => Int32Array.from(encoding.getIds()));
    }
  }
}

port.on("message", async (request) => {
  let message;
  try { message = { value: await answer(request) }; } catch (error) { message = { error: String(error.message) }; }
  port.postMessage(message);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
});
port.postMessage("ready");
`;

async function startThread(): Promise<Call> {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const library = createRequire(import.meta.url).resolve("tokenizers");
  const worker = new Worker(THREAD, {
    eval: true,
    execArgv: [],
    workerData: { library, port: port2, signal },
    transferList: [port2],
  });
  await new Promise((resolve, reject) => {
    port1.once("message", resolve);
    worker.once("error", reject);
  }).catch((error: unknown) => {
    throw new RuntimeError("the tokenizers library cannot be loaded", {
      hint: "Install again: npm ci. The package `tokenizers` has binaries for Linux, macOS and Windows.",
      cause: error,
    });
  });
  // Neither keeps the process alive.
  worker.unref();
  port1.unref();
  return (request) => callAndWait(port1, signal, request);
}

function callAndWait(port: MessagePort, signal: Int32Array, request: Request): unknown {
  Atomics.store(signal, 0, 0);
  port.postMessage(request);
  // A notice that came too late to wake the call before may wake this one, so the value alone counts.
  while (Atomics.load(signal, 0) === 0) {
    if (Atomics.wait(signal, 0, 0, MAX_WAIT_MS) === "timed-out") {
      throw new RuntimeError("the tokenizers library does not answer");
    }
  }
  const answer = receiveMessageOnPort(port)?.message as Answer; // as THREAD sends it, before the signal
  if ("error" in answer) throw new TokenizersError(`tokenizers: ${answer.error}`);
  return answer.value;
}

type Answer = { readonly value: unknown } | { readonly error: string };
