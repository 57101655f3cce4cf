/** @file A thread that does arithmetic, as the thread that asks it sees it. */
import { Worker } from "node:worker_threads";

import { RuntimeError } from "../../util/errors.ts";
import type { JobOptions } from "../../util/progress.ts";
import type { GenerationCounter } from "../generation/generate-options.ts";
import {
  type Answer,
  receiveError,
  type Request,
  type ThreadCalls,
  type ThreadStreams,
} from "./messages.ts";

/** What a call at work tells. */
interface ThreadJob extends JobOptions {
  readonly counter?: GenerationCounter | undefined;
}

/** Who waits for a call. */
interface Waiting {
  readonly job: ThreadJob;
  /** What of the call's work is in the job's counter already. */
  readonly counted: GenerationCounter;
  piece(value: unknown): void;
  end(value: unknown): void;
  fail(error: unknown): void;
}

type Streamed<M extends keyof ThreadStreams> =
  ReturnType<ThreadStreams[M]> extends AsyncIterable<infer T> ? T : never;

/** A worker thread. It keeps the process alive only while a call is at work. */
export class EngineThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #death: unknown;

  constructor(file: URL) {
    this.#worker = new Worker(file, { execArgv: [] });
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => this.#hear(answer));
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.on("exit", () => this.#die(undefined));
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.#death === undefined;
  }

  /** One answer. Throws what the thread threw, and RuntimeError where the thread has ended. */
  call<M extends keyof ThreadCalls>(
    method: M,
    ...words: Parameters<ThreadCalls[M]>
  ): ReturnType<ThreadCalls[M]> {
    const answer = new Promise<unknown>((end, fail) => {
      this.#ask(method, words, { job: {}, piece: () => {}, end, fail });
    });
    return answer as ReturnType<ThreadCalls[M]>; // what the thread sends for this method
  }

  /** Pieces as they come; a caller that stops before the end stops the thread's work. Throws as `call`, and where the signal is aborted its reason. */
  async *stream<M extends keyof ThreadStreams>(
    method: M,
    job: ThreadJob,
    ...words: Parameters<ThreadStreams[M]>
  ): AsyncGenerator<Streamed<M>, void, undefined> {
    job.signal?.throwIfAborted();
    const pieces: unknown[] = [];
    let wake: (() => void) | undefined;
    const call: { end?: { readonly error?: unknown } } = {};
    const finish = (how: { readonly error?: unknown }): void => {
      call.end ??= how;
      wake?.();
    };
    const id = this.#ask(method, words, {
      job,
      piece: (value) => {
        pieces.push(value);
        wake?.();
      },
      end: () => finish({}),
      fail: (error) => finish({ error }),
    });
    const abort = (): void => this.#send({ kind: "abort", id });
    job.signal?.addEventListener("abort", abort, { once: true });
    const more = (): Promise<void> => new Promise((resolve) => (wake = resolve));
    try {
      for (;;) {
        while (pieces.length > 0) {
          this.#send({ kind: "taken", id });
          yield pieces.shift() as Streamed<M>; // what the thread sends for this method
        }
        const { end } = call;
        if (end === undefined) await more();
        else if ("error" in end) throw job.signal?.aborted === true ? job.signal.reason : end.error;
        else if (pieces.length === 0) return;
      }
    } finally {
      job.signal?.removeEventListener("abort", abort);
      // The next call may be about the same engine: not before this one has let go of it.
      if (call.end === undefined) abort();
      while (call.end === undefined) await more();
    }
  }

  /** Ends the thread, whatever it is doing. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(
    method: keyof ThreadCalls | keyof ThreadStreams,
    words: readonly unknown[],
    waiting: Omit<Waiting, "counted">,
  ): number {
    const id = this.#next++;
    if (!this.isAlive) {
      waiting.fail(this.#death);
      return id;
    }
    this.#worker.ref();
    const counted = { promptTokens: 0, sampledTokens: 0, flops: 0 };
    this.#waiting.set(id, { ...waiting, counted });
    try {
      this.#send({ kind: "call", id, method, words });
    } catch (error) {
      this.#letGo(id);
      waiting.fail(error);
    }
    return id;
  }

  #send(request: Request): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is of windows, this is a thread
    this.#worker.postMessage(request);
  }

  #hear(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    const { progress, counter } = waiting.job;
    if (answer.counter !== undefined && counter !== undefined) {
      for (const name of ["promptTokens", "sampledTokens", "flops"] as const) {
        counter[name] += answer.counter[name] - waiting.counted[name];
        waiting.counted[name] = answer.counter[name];
      }
    }
    switch (answer.kind) {
      case "progress":
        return progress?.update(answer.done, answer.total);
      case "note":
        return progress?.note(answer.line);
      case "piece":
        return waiting.piece(answer.value);
      case "end":
        this.#letGo(answer.id);
        return waiting.end(answer.value);
      case "failure":
        this.#letGo(answer.id);
        return waiting.fail(receiveError(answer.error));
    }
  }

  #letGo(id: number): void {
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #die(cause: unknown): void {
    this.#death ??= new RuntimeError("a thread of the engine has ended in the middle of its work", {
      hint: "Memory may have run out: set engine.stages: 1, so that one stage runs at a time.",
      cause,
    });
    for (const [id, waiting] of this.#waiting) {
      this.#letGo(id);
      waiting.fail(this.#death);
    }
  }
}
