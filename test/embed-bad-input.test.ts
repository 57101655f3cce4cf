/** Every broken input of `culprit embed` ends in one clear error, the right exit code, and no store that looks whole. */
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import {
  ConfigError,
  type CulpritError,
  FormatError,
  RuntimeError,
  UnsupportedError,
} from "../src/util/errors.ts";
import { jsonLines } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCli } from "./support/run-cli.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint, type TinyCheckpointOptions } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const GOOD = join(ROOT, "good");
const PAIRS = join(ROOT, "pairs.jsonl");

beforeAll(async () => {
  await makeTinyCheckpoint(GOOD);
  await writeFile(PAIRS, jsonLines(randomPairs(6)));
});

interface Case {
  readonly about: string;
  /** Makes the checkpoint; default the good one. */
  readonly checkpoint?: TinyCheckpointOptions | undefined;
  /** Then breaks it. */
  readonly spoil?: ((dir: string) => Promise<unknown>) | undefined;
  readonly flags?: Readonly<Record<string, string>> | undefined;
  readonly kind: new (...args: never[]) => CulpritError;
  /** All of these are in its message or hint. */
  readonly says: readonly RegExp[];
}

const edit = (file: string, change: (text: string) => string) => async (dir: string) => {
  const path = join(dir, file);
  await writeFile(path, change(await readFile(path, "utf8")));
};
const WEIGHTS = "model.safetensors";

const CHECKPOINTS: readonly Case[] = [
  {
    about: "a missing tokenizer",
    spoil: (dir) => rm(join(dir, "tokenizer.json")),
    kind: ConfigError,
    says: [/tokenizer\.json: expected the checkpoint's tokenizer/],
  },
  {
    about: "a missing chat template",
    spoil: edit("tokenizer_config.json", (text) => text.replace("chat_template", "other")),
    kind: ConfigError,
    says: [/expected a chat template/, /--template raw/],
  },
  {
    about: "a chat template that is broken",
    spoil: (dir) => writeFile(join(dir, "chat_template.jinja"), "{% for m in %}"),
    kind: ConfigError,
    says: [/chat_template\.jinja: the chat template cannot be read/],
  },
  {
    about: "a missing config",
    spoil: (dir) => rm(join(dir, "config.json")),
    kind: ConfigError,
    says: [/config\.json/],
  },
  {
    about: "a config that is no JSON",
    spoil: (dir) => writeFile(join(dir, "config.json"), '{"model_type": '),
    kind: FormatError,
    says: [/config\.json: not valid JSON/],
  },
  {
    about: "a config with another width than the weights",
    spoil: edit("config.json", (text) =>
      text.replace('"intermediate_size": 48', '"intermediate_size": 40'),
    ),
    kind: FormatError,
    says: [
      /tensor "model\.layers\.\d\.mlp\.\w+_proj\.weight" should be \[.*\] by config\.json, is \[/,
    ],
  },
  {
    about: "a config with more layers than the weights",
    spoil: edit("config.json", (text) =>
      text.replace('"num_hidden_layers": 3', '"num_hidden_layers": 4'),
    ),
    flags: { layers: "4" },
    kind: FormatError,
    says: [/lack the tensor "model\.layers\.3\./],
  },
  {
    about: "an unknown family",
    checkpoint: { config: { model_type: "mamba9" } },
    kind: UnsupportedError,
    says: [/config\.json: model_type "mamba9" is not supported, expected .*llama, /],
  },
  {
    about: "a config key that nothing reads",
    checkpoint: { config: { residual_multiplier: 0.22 } },
    kind: UnsupportedError,
    says: [/config\.json: .*"residual_multiplier".*might change the activations/],
  },
  {
    about: "a config key with a value that nothing handles",
    checkpoint: { config: { hidden_act: "gelu" } },
    kind: ConfigError,
    says: [/config\.json: "hidden_act"/],
  },
  {
    about: "truncated weights",
    spoil: (dir) => truncate(join(dir, WEIGHTS), 20_000),
    kind: FormatError,
    says: [/model\.safetensors: /],
  },
  {
    about: "a header longer than the file",
    spoil: (dir) =>
      writeFile(join(dir, WEIGHTS), new Uint8Array([255, 255, 255, 255, 255, 255, 0, 0])),
    kind: FormatError,
    says: [/model\.safetensors: /],
  },
  {
    about: "weights that are a web page",
    spoil: (dir) => writeFile(join(dir, WEIGHTS), "<!doctype html><title>Not found</title>"),
    kind: FormatError,
    says: [/model\.safetensors: /],
  },
  {
    about: "a missing shard",
    checkpoint: { shards: 3 },
    spoil: (dir) => rm(join(dir, "model-00002-of-00003.safetensors")),
    kind: FormatError,
    says: [/names the shard "model-00002-of-00003\.safetensors", which is not there/],
  },
  {
    about: "shards in each other's place",
    checkpoint: { shards: 2 },
    async spoil(dir) {
      const [a, b] = [1, 2].map((i) => join(dir, `model-0000${i}-of-00002.safetensors`));
      await rename(a!, `${a!}.aside`);
      await rename(b!, a!);
      await rename(`${a!}.aside`, b!);
    },
    kind: FormatError,
    says: [/model\.safetensors\.index\.json puts tensor ".*" in .*, it is not there/],
  },
  {
    about: "pickled weights",
    spoil: (dir) => rename(join(dir, WEIGHTS), join(dir, "pytorch_model.bin")),
    kind: UnsupportedError,
    says: [/got pickled weights \(pytorch_model\.bin\)/],
  },
  {
    about: "a NaN among the weights",
    checkpoint: {
      edit: (weights) => (weights.get("model.layers.1.self_attn.v_proj.weight")!.values[33] = NaN),
    },
    kind: FormatError,
    says: [
      /tensor "model\.layers\.1\.self_attn\.v_proj\.weight": NaN or infinite value at \[1, 1\]/,
    ],
  },
  {
    about: "activations that overflow",
    checkpoint: {
      edit: (weights) => {
        for (const name of ["gate", "up"])
          weights.get(`model.layers.1.mlp.${name}_proj.weight`)!.values.fill(3e38);
      },
    },
    kind: RuntimeError,
    says: [/pairs\.jsonl, row \d: pair "pair-\d": an activation at layer 2 is not finite/],
  },
  {
    about: "a tokenizer with more tokens than the model",
    checkpoint: { config: { vocab_size: 50 } },
    kind: ConfigError,
    says: [/the tokenizer has 420 tokens, config\.json says "vocab_size": 50\n.*different check/],
  },
  {
    about: "the tokenizer of a far smaller model",
    checkpoint: { config: { vocab_size: 49_152 } },
    kind: ConfigError,
    says: [
      /the tokenizer has 420 tokens, config\.json says "vocab_size": 49152\n.*different check/,
    ],
  },
];

describe("culprit embed with", () => {
  it.each(CHECKPOINTS)("$about", async ({ about, checkpoint, spoil, flags, kind, says }) => {
    const { words: given, out } = await prepare(about, { checkpoint, spoil, flags });
    const error = await expectFailure(runCommand("embed", given), kind);
    for (const line of says) expect(`${error.message}\n${error.hint}`).toMatch(line);
    expect(await listVectors(out)).toEqual([]);
  });

  it.each([
    ["a NaN among the weights", 2],
    ["activations that overflow", 1],
    ["an unknown family", 1],
  ])(
    "%s: prints message and hint on stderr, nothing on stdout, and exits %i",
    async (about, code) => {
      const { kind: _kind, says, ...parts } = CHECKPOINTS.find((each) => each.about === about)!;
      const { words: given, out } = await prepare(`${about} on the command line`, parts);
      const result = await runCli(["embed", ...given]);
      expect(result).toMatchObject({ code, stdout: "" });
      for (const line of says) expect(result.stderr).toMatch(line);
      expect(result.stderr).toMatch(/^culprit: /m);
      expect(result.stderr).not.toMatch(/internal error|\n {4}at /);
      expect(await listVectors(out)).toEqual([]);
    },
  );

  it.each<[about: string, changes: Record<string, string>, says: RegExp]>([
    [
      "a checkpoint that is not there",
      { checkpoint: join(ROOT, "nowhere") },
      /nowhere: no such folder/,
    ],
    [
      "a layer beyond the last",
      { layers: "2,9" },
      /--layers: the checkpoint has layers 0 to 3, got 9/,
    ],
    ["layers that are no numbers", { layers: "top" }, /--layers: expected numbers and ranges/],
    [
      "more tokens than positions",
      { "max-tokens": "9999" },
      /--max-tokens: .* made for 256 positions, got 9999/,
    ],
    ["another dtype", { dtype: "int8" }, /--dtype: expected F16 or F32, got "int8"/],
    [
      "empty shards",
      { "shard-rows": "0" },
      /--shard-rows: expected a whole number from 1 to \d+, got "0"/,
    ],
    ["half a thread", { threads: "0.5" }, /--threads: expected a whole number from 1/],
    ["no folder to write to", { out: "" }, /--out is missing/],
    ["a flag that does not exist", { "shard-row": "5" }, /unknown flag --shard-row$/],
    [
      "an unknown device",
      { device: "tpu" },
      /--device: expected cpu, cuda, webgpu, coreml or dml, got/,
    ],
  ])("%s", async (_about, changes, says) => {
    const all = { checkpoint: GOOD, layers: "1", out: join(ROOT, "never"), ...changes };
    const error = await expectFailure(runCommand("embed", [PAIRS, ...words(all)]), ConfigError);
    expect(error.message).toMatch(says);
    expect(await readdir(ROOT)).not.toContain("never");
  });

  it.each<[about: string, files: string[], says: RegExp]>([
    ["no file", [], /expected files of preference pairs, got none/],
    ["a file that is not there", [join(ROOT, "gone.jsonl")], /gone\.jsonl/],
    ["a file without rows", [join(ROOT, "empty.jsonl")], /empty\.jsonl|no row/],
    ["rows of no known shape", [join(ROOT, "odd.jsonl")], /shape/],
  ])("%s", async (_about, files, says) => {
    await writeFile(join(ROOT, "empty.jsonl"), "");
    await writeFile(join(ROOT, "odd.jsonl"), jsonLines([{ colour: "green" }]));
    const all = { checkpoint: GOOD, layers: "1", out: join(ROOT, "never") };
    const error = await expectFailure(runCommand("embed", [...files, ...words(all)]), ConfigError);
    expect(error.message).toMatch(says);
    expect(await readdir(ROOT)).not.toContain("never");
  });

  it("a folder that cannot be made", async () => {
    const result = await runCli([
      "embed",
      PAIRS,
      ...words({ checkpoint: GOOD, layers: "1", out: join(PAIRS, "store") }),
    ]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(
      /pairs\.jsonl\/store: expected a place in a folder, got one beneath the file /,
    );
  });
});

function words(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Makes the checkpoint of a case; gives the words that follow `culprit embed`. */
async function prepare(
  about: string,
  { checkpoint, spoil, flags }: Partial<Pick<Case, "checkpoint" | "spoil" | "flags">>,
): Promise<{ words: string[]; out: string }> {
  const folder = join(ROOT, about.replaceAll(/\W/g, "-"));
  const dir = join(folder, "checkpoint");
  if (checkpoint === undefined) await cp(GOOD, dir, { recursive: true });
  else await makeTinyCheckpoint(dir, checkpoint);
  await spoil?.(dir);
  const out = join(folder, "store");
  return {
    words: [PAIRS, ...words({ checkpoint: dir, layers: "1-2", threads: "1", out, ...flags })],
    out,
  };
}

/** Whatever in a store's folder could be taken for vectors. */
async function listVectors(out: string): Promise<string[]> {
  const names = await readdir(out).catch(() => []);
  return names.filter((name) => name !== "manifest.json");
}
