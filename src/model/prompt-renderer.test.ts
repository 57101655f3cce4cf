import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, it } from "vitest";

import type { Message } from "../format/messages.ts";
import { ConfigError } from "../util/errors.ts";
import { UnusableExampleError } from "./prompt-renderer-error.ts";
import { truncateExample } from "./prompt-renderer-truncate.ts";
import { createRenderer, type PromptRenderer, type RendererOptions } from "./prompt-renderer.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/tokenizer/", import.meta.url));
const CASES = (await readdir(GOLDEN, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"))
  .map((entry) => entry.name);

type Turns = readonly Message[];
/** Prompt ids and response ids, or the reason why there are none. */
type Outcome = readonly [number[], number[]] | string;

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

const { conversations } = (await readJson(join(GOLDEN, "inputs.json"))) as {
  conversations: readonly (readonly [Turns, Turns])[];
};

function outcome(renderer: PromptRenderer, prompt: Turns, response: Turns): Outcome {
  try {
    const example = renderer.tokenize(prompt, [response]);
    return [[...example.prompt], [...example.responses[0]!]];
  } catch (error) {
    if (!(error instanceof UnusableExampleError)) throw error;
    return error.reason;
  }
}

const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

describe.each(CASES)("with the %s template", (name) => {
  const folder = join(GOLDEN, name);

  it.each(["chat", "raw"] as const)("%s ids cut as text are transformers'", async (template) => {
    const renderer = await createRenderer(folder, { template, boundary: "text" });
    const golden = (await readJson(join(folder, "golden.json"))) as Record<string, Outcome[]>;
    const got = conversations.map(([prompt, response]) => outcome(renderer, prompt, response));
    const end = renderer.tokenizer.eosId;
    const expected = golden[template]!.map((one): Outcome =>
      template === "chat" || typeof one === "string" || one[1].at(-1) === end
        ? one
        : [one[0], [...one[1], end!]],
    );
    expect(got).toEqual(expected);
    expect(got.filter((one) => typeof one !== "string").length).toBeGreaterThan(10);
  });

  it("two responses share the prompt that each has alone", async () => {
    const renderer = await createRenderer(folder);
    const prompt = [user("Which is it?")];
    const both = renderer.tokenize(prompt, [[assistant("This.")], [assistant("That one.")]]);
    for (const [i, text] of ["This.", "That one."].entries()) {
      const alone = renderer.tokenize(prompt, [[assistant(text)]]);
      expect(alone.prompt).toEqual(both.prompt);
      expect(alone.responses[0]).toEqual(both.responses[i]);
    }
  });
});

describe("createRenderer", () => {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true });
  });

  async function withTemplate(text: string, options?: RendererOptions): Promise<PromptRenderer> {
    const folder = await mkdtemp(join(tmpdir(), "culprit-renderer-"));
    made.push(folder);
    await cp(join(GOLDEN, "chatml-plain"), folder, { recursive: true });
    await writeFile(join(folder, "chat_template.jinja"), text);
    return createRenderer(folder, options);
  }

  it("starts the response before a <think> that only the generation prompt has, for all responses alike", async () => {
    const renderer = await createRenderer(join(GOLDEN, "think-opener"));
    const example = renderer.tokenize([user("Why?")], [[assistant("<thanks")], [assistant("So.")]]);
    expect(renderer.tokenizer.decode(example.prompt)).toMatch(/<\|im_start\|>assistant\n$/);
    expect(example.responses.map((ids) => renderer.tokenizer.decode(ids))).toEqual([
      "<thanks<|im_end|>",
      "So.<|im_end|>",
    ]);
  });

  it("says where a template that rewrites earlier turns parts from the prompt, with a way out", async () => {
    const renderer = await withTemplate(
      "{% for m in messages %}{{ messages|length }} {{ m.content }}{% endfor %}",
      { boundary: "text" },
    );
    const attempt = (): unknown => renderer.tokenize([user("a")], [[assistant("b")]]);
    expect(attempt).toThrow(/chat_template\.jinja.*part at character 0 of 3/);
    expect(attempt).toThrow(expect.objectContaining({ reason: "prompt-not-kept" }) as Error);
  });

  it("calls a response without tokens by its number", async () => {
    const renderer = await createRenderer(join(GOLDEN, "chatml"), { template: "raw" });
    const attempt = (): unknown =>
      renderer.tokenize([user("a")], [[assistant("b")], [assistant("")]]);
    expect(attempt).toThrow(expect.objectContaining({ reason: "empty-response" }) as Error);
    expect(attempt).toThrow("response 1");
  });

  it("does not take a prompt without turns for a chat", async () => {
    const renderer = await createRenderer(join(GOLDEN, "chatml"));
    expect(() => renderer.tokenize([], [[assistant("b")]])).toThrow(
      expect.objectContaining({ reason: "empty-prompt" }) as Error,
    );
  });

  const call = { role: "assistant", content: "Look.", tool_calls: [{ name: "f" }] };
  const thought = { role: "assistant", content: "yes", reasoning: "They greet." };
  const turn = ({ role, content, ...more }: typeof call | typeof thought): Message => ({
    role: "assistant",
    content,
    whole: { role, content, ...more },
  });
  const loop = (body: string): string => `{% for m in messages %}${body}{% endfor %}`;
  const all = loop("{{ m.content }}{{ m.tool_calls }}{{ m.thinking }}");
  it.each([
    [`You have no tools. ${all}`, [user("q")], [assistant("a")], "tools"],
    [`{# tools #}${all}{{ documents }}`, [user("q")], [user("a")], "tools"],
    [
      `{{ tools }}${loop("{{ m.content or m.tool_calls }}")}`,
      [user("q")],
      [turn(call)],
      "tool_calls",
    ],
    [
      `{{ tools }}${loop("{% if m.tool_calls %}{{ m.tool_calls }}{% else %}{{ m.content }}{% endif %}")}`,
      [user("q")],
      [turn(call)],
      "the text of the assistant turn",
    ],
    [
      `{{ tools }}${loop("{% if m.role != 'system' %}{{ m.content }}{% endif %}")}`,
      [{ role: "system", content: "Be brief." }, user("q")] as const,
      [assistant("a")],
      "the text of the system turn",
    ],
    [
      `{{ tools }}${loop("{{ m.content }}{% if loop.first %}{{ m.reasoning_content }}{% endif %}")}`,
      [turn(thought)],
      [turn(thought)],
      "reasoning",
    ],
  ])(
    "counts a row as unusable where %s does not read all of it",
    async (text, prompt, response, lost) => {
      const renderer = await withTemplate(text);
      const context = { tools: [{ name: "f" }] };
      expect(() => renderer.tokenize(prompt, [response], context)).toThrow(
        `the row has ${lost} and`,
      );
      expect(renderer.findUnread(prompt, [response], context)).toContain(lost);
    },
  );

  it("does not miss earlier reasoning where the template shows that of the last turn", async () => {
    const renderer = await withTemplate(
      loop("{{ m.content }}{% if loop.last %}{{ m.reasoning }}{% endif %}"),
    );
    const prompt = [user("q"), turn(thought), user("q")];
    expect(renderer.findUnread(prompt, [[turn(thought)]])).toEqual([]);
    expect(renderer.findUnread(prompt, [[assistant("yes")]])).toEqual(["reasoning"]);
  });

  it("takes a row on which the template fails out, and goes on with the others", async () => {
    const renderer = await withTemplate(loop("{{ m.content + (m.note.text if m.note else '') }}"));
    const noted = { role: "user", content: "a", note: { other: "b" } } as const;
    const prompt = [{ role: "user", content: "a", whole: noted }] as const;
    expect(() => renderer.tokenize(prompt, [[assistant("b")]])).toThrow(
      expect.objectContaining({ reason: "template-refused" }) as Error,
    );
    expect(renderer.tokenize([user("a")], [[assistant("b")]]).responses).toHaveLength(1);
  });

  it("lets a broken template pass as the checkpoint's fault, not the row's", async () => {
    const renderer = await withTemplate("{{ messages[0].content.nothing() }}");
    expect(() => renderer.tokenize([user("a")], [[assistant("b")]])).toThrow(ConfigError);
  });

  it("keeps raw and chat apart by template hash", async () => {
    const chat = await createRenderer(join(GOLDEN, "chatml"));
    const raw = await createRenderer(join(GOLDEN, "chatml"), { template: "raw" });
    expect(raw.templateHash).toBe("raw, end token");
    expect(chat.templateHash).toMatch(/^[0-9a-f]{64}$/);
    expect(chat.tokenizerHash).toBe(raw.tokenizerHash);
  });
});

describe("truncateExample", () => {
  const example = {
    prompt: Int32Array.of(1, 2, 3),
    responses: [Int32Array.of(4, 5, 6), Int32Array.of(7)],
  };

  it("cuts each response from its end to the tokens that are left", () => {
    expect(truncateExample(example, 5)).toEqual({
      kind: "usable",
      example: { prompt: example.prompt, responses: [Int32Array.of(4, 5), Int32Array.of(7)] },
      cutTokens: [1, 0],
    });
  });

  it("leaves what fits as it is", () => {
    expect(truncateExample(example, 6)).toEqual({ kind: "usable", example, cutTokens: [0, 0] });
  });

  it.each([3, 2, 0])("reports a prompt that leaves no response at limit %i", (limit) => {
    const result = truncateExample(example, limit);
    expect(result.kind).toBe("prompt-too-long");
    expect(result).toHaveProperty("detail", expect.stringContaining(`none of ${limit}`));
  });
});
