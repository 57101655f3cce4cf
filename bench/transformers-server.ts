/** @file Talks to bench/transformers-server.py: one job at a time, so that both sides can take turns in one run. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface TransformersJob {
  readonly prompts: readonly (readonly number[])[];
  readonly newTokens: number;
  readonly sample: boolean;
  readonly gaps?: boolean;
}

export interface TransformersResult {
  readonly seconds: number;
  /** Processor time of the whole process: says more than `seconds` on a machine that others use too. */
  readonly cpuSeconds: number;
  readonly tokens: readonly (readonly number[])[];
  readonly gaps?: readonly number[];
}

export interface TransformersServer extends Disposable {
  readonly versions: { readonly torch: string; readonly transformers: string };
  generate(job: TransformersJob): Promise<TransformersResult>;
}

/** Starts Python with the model loaded in float32 or bfloat16; it ends when disposed of. */
export async function startTransformers(
  python: string,
  model: string,
  threads: number,
  dtype = "float32",
): Promise<TransformersServer> {
  const script = fileURLToPath(new URL("transformers-server.py", import.meta.url));
  const given = ["--model", model, "--threads", `${threads}`, "--dtype", dtype];
  const child = spawn(python, [script, ...given], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async <T>(): Promise<T> => {
    const line = await lines.next();
    if (line.done === true) throw new Error("transformers-server.py ended");
    return JSON.parse(line.value) as T; // our own script's words
  };
  return {
    versions: await read(),
    generate(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      return read();
    },
    [Symbol.dispose]() {
      child.stdin.end();
    },
  };
}
