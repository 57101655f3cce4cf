import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import type { Message } from "../format/messages.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { TemplateRefusal, loadChatTemplate } from "./chat-template.ts";

// That whole templates of the supported families render as in Python is held in prompt-renderer.test.ts, by their ids.

const made: string[] = [];
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true });
});

async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "culprit-template-"));
  made.push(folder);
  for (const [file, content] of Object.entries(files)) {
    await writeFile(
      join(folder, file),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return folder;
}

const HELLO: readonly Message[] = [{ role: "user", content: "Hello" }];

async function render(text: string, messages = HELLO, config: unknown = {}): Promise<string> {
  const folder = await folderWith({ "chat_template.jinja": text, "tokenizer_config.json": config });
  return (await loadChatTemplate(folder)).render(messages, { addGenerationPrompt: true });
}

async function hash(text: string, bos: string): Promise<string> {
  const config = { bos_token: bos };
  const files = { "chat_template.jinja": text, "tokenizer_config.json": config };
  return (await loadChatTemplate(await folderWith(files))).hash;
}

describe("loadChatTemplate", () => {
  const options = { addGenerationPrompt: false };

  it("prefers chat_template.jinja to chat_template.json to tokenizer_config.json", async () => {
    const files = {
      "tokenizer_config.json": { chat_template: "config" },
      "chat_template.json": { chat_template: "json" },
      "chat_template.jinja": "jinja",
    };
    const names = Object.keys(files) as (keyof typeof files)[];
    for (const count of [1, 2, 3]) {
      const some = Object.fromEntries(names.slice(0, count).map((name) => [name, files[name]]));
      const template = await loadChatTemplate(await folderWith(some));
      expect(template.render(HELLO, options)).toBe(["config", "json", "jinja"][count - 1]);
      expect(template.source.endsWith(names[count - 1]!)).toBe(true);
    }
  });

  it("takes the one named default of several", async () => {
    const named = [
      { name: "tool_use", template: "tools" },
      { name: "default", template: "plain" },
    ];
    const folder = await folderWith({ "tokenizer_config.json": { chat_template: named } });
    expect((await loadChatTemplate(folder)).render(HELLO, options)).toBe("plain");
    const without = { chat_template: named.slice(0, 1) };
    const other = await folderWith({ "tokenizer_config.json": without });
    await expect(loadChatTemplate(other)).rejects.toThrow('"tool_use"');
  });

  it("points to --template raw where there is none", async () => {
    const error: unknown = await loadChatTemplate(await folderWith({})).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).hint).toContain("--template raw");
  });

  it("refuses a tokenizer_config.json that is not JSON", async () => {
    const folder = await folderWith({ "tokenizer_config.json": "{" });
    await expect(loadChatTemplate(folder)).rejects.toBeInstanceOf(FormatError);
  });

  it.each(["{% for m in messages %}", "{{ messages[0]. }}", "{% nonsense %}"])(
    "names a template that cannot be read: %s",
    async (text) => {
      await expect(render(text)).rejects.toThrow(/chat_template\.jinja.*cannot be read/);
    },
  );

  it("has another hash when the text or a special token differs, the same otherwise", async () => {
    expect(await hash("a", "<s>")).toBe(await hash("a", "<s>"));
    expect(await hash("a", "<s>")).not.toBe(await hash("b", "<s>"));
    expect(await hash("a", "<s>")).not.toBe(await hash("a", "<t>"));
  });
});

describe("a chat template", () => {
  it("is given the special tokens, plain or with flags", async () => {
    const config = { bos_token: "<s>", eos_token: { content: "</s>", lstrip: false } };
    expect(await render("{{ bos_token }}|{{ eos_token }}|{{ pad_token }}", HELLO, config)).toBe(
      "<s>|</s>|",
    );
  });

  it("sees tools and documents as none, as transformers passes them", async () => {
    const text =
      "{{ tools is defined and tools is none }} {% if documents %}yes{% else %}no{% endif %}";
    expect(await render(text)).toBe("true no");
  });

  it("refuses a conversation with the template's own words", async () => {
    const text = "{{ raise_exception('no ' + messages[0]['role'] + ' turns') }}";
    await expect(render(text)).rejects.toBeInstanceOf(TemplateRefusal);
    await expect(render(text)).rejects.toThrow("no user turns");
  });

  it("fails by name where it uses what is not there", async () => {
    await expect(render("{{ messages[0].content.nothing() }}")).rejects.toThrow(
      /chat_template\.jinja: the chat template fails/,
    );
  });

  it("prints 26 July 2024 on every day", async () => {
    expect(await render("{{ strftime_now('%d %b %Y, %A %-d %B %Y 100%%') }}")).toBe(
      "26 Jul 2024, Friday 26 July 2024 100%",
    );
    await expect(render("{{ strftime_now('%Q') }}")).rejects.toBeInstanceOf(UnsupportedError);
  });

  it("cannot loop without end", async () => {
    await expect(render("{% for i in range(1000000000) %}x{% endfor %}")).rejects.toThrow(
      /fails \(range of 1000000000 items/,
    );
    expect(await render("{% for i in range(2, 8, 3) %}{{ i }}{% endfor %}")).toBe("25");
  });

  // Expected values are Python's.
  it.each([
    ["{{ x.lstrip('\\n') }}", "\n\n  a b \n", "  a b \n"],
    ["{{ x.rstrip('\\n') }}", "\n  a b \n\n", "\n  a b "],
    ["{{ x.strip('ab') }}", "abba c ab", " c "],
    ["{{ x.strip() }}", " \u0085\u001c a \u3000", "a"],
    ["{{ x | trim }}", "\ufeff a \t", "\ufeff a"],
    ["{{ (x | trim).split(' ')[-1].lstrip('b') + '!' }}", " a bbc ", "c!"],
    ["{{ {'k': x.strip('-')}['k'] }}", "-a-", "a"],
    ["{% if x.strip() == '' %}empty{% endif %}", " \n", "empty"],
  ])("strips like Python: %s", async (expression, content, expected) => {
    const text = `{% set x = messages[0].content %}${expression}`;
    expect(await render(text, [{ role: "user", content }])).toBe(expected);
  });
});
