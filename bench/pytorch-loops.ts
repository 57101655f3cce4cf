/** @file The loops of bench/embed_speed_reference.py, asked from a script that times them in turn with Culprit. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { TokenizedExample } from "../src/engine/engine.ts";

/** What some work took: by the clock, and of the processor. */
export interface Took {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface LoopOptions {
  readonly python: string;
  readonly model: string;
  readonly layer: number;
  readonly threads: number;
  /** `name/dtype`. */
  readonly ways: readonly string[];
  /** Where the job is written. */
  readonly job: string;
}

/** The Python process with its model loaded, asked a line at a time. */
export class PyTorchLoops {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(examples: readonly TokenizedExample[], options: LoopOptions) {
    const { python, model, layer, threads, ways, job } = options;
    const asJob = ({ prompt, responses }: TokenizedExample): object => ({
      prompt: [...prompt],
      chosen: [...responses[0]!],
      rejected: [...responses[1]!],
    });
    writeFileSync(job, JSON.stringify({ pairs: examples.map(asJob) }));
    const script = fileURLToPath(new URL("embed_speed_reference.py", import.meta.url));
    const dtypes = [...new Set(ways.map((way) => way.split("/")[1]!))].join(",");
    const given = ["--model", model, "--job", job, "--layer", `${layer}`, "--dtypes", dtypes];
    this.#child = spawn(python, [script, ...given, "--threads", `${threads}`]);
    this.#child.stderr.resume();
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** What it runs on; to be asked first. */
  versions(): Promise<Record<string, string>> {
    return this.#answer();
  }

  /** Embeds some pairs in one of the ways. */
  embed(way: string, from: number, to: number): Promise<Took> {
    const [name, dtype] = way.split("/");
    return this.#ask({ way: name, dtype, from, to });
  }

  /** Writes the vectors of all pairs, the tensor `vectors` [N, D]. */
  async save(way: string, path: string): Promise<void> {
    const [name, dtype] = way.split("/");
    await this.#ask({ way: name, dtype, save: path });
  }

  end(): void {
    this.#child.stdin.end();
  }

  async #answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("the reference ended; run bench/embed_speed_reference.py");
    return JSON.parse(value) as T;
  }

  #ask<T>(what: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`);
    return this.#answer<T>();
  }
}
