import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { JsonFloat } from "../format/json-value.ts";
import type { Message } from "../format/messages.ts";
import type { Plain } from "../template/from-plain.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { TemplateRefusal, loadChatTemplate } from "./chat-template.ts";

// That templates render as in Python is held in test/templates.test.ts, and by their ids in prompt-renderer.test.ts.

const made: string[] = [];
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true });
});

async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "culprit-template-"));
  made.push(folder);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
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

  const named = [
    { name: "tool_use", template: "tools" },
    { name: "default", template: "plain" },
  ];

  it.each([
    ["a list", { "tokenizer_config.json": { chat_template: named } }],
    [
      "a table",
      { "chat_template.json": { chat_template: { tool_use: "tools", default: "plain" } } },
    ],
    [
      "files",
      { "chat_template.jinja": "plain", "additional_chat_templates/tool_use.jinja": "tools" },
    ],
  ])("takes of several in %s the one for tools where there are tools", async (_, files) => {
    const template = await loadChatTemplate(await folderWith(files));
    expect(template.render(HELLO, options)).toBe("plain");
    expect(template.render(HELLO, { ...options, tools: [] })).toBe("tools");
  });

  it("lets files beside tokenizer_config.json replace all of its templates, as transformers does", async () => {
    const files = {
      "tokenizer_config.json": { chat_template: named },
      "chat_template.jinja": "file",
    };
    const template = await loadChatTemplate(await folderWith(files));
    expect(template.render(HELLO, { ...options, tools: [] })).toBe("file");
  });

  it("refuses a conversation without tools where the only template is for tools", async () => {
    const only = { chat_template: named.slice(0, 1) };
    const template = await loadChatTemplate(await folderWith({ "tokenizer_config.json": only }));
    expect(template.render(HELLO, { ...options, tools: [] })).toBe("tools");
    expect(() => template.render(HELLO, options)).toThrow(/"tool_use".*only the one for tools/);
  });

  it("names the templates where none is the default one", async () => {
    const rag = { chat_template: [{ name: "rag", template: "x" }] };
    const folder = await folderWith({ "tokenizer_config.json": rag });
    await expect(loadChatTemplate(folder)).rejects.toThrow('got "rag"');
    const nameless = await folderWith({ "tokenizer_config.json": { chat_template: ["x"] } });
    await expect(loadChatTemplate(nameless)).rejects.toThrow("a name and a text");
  });

  it("has another hash when the template for tools differs", async () => {
    const hashes = ["a", "b", undefined].map(async (tools) => {
      const more = tools === undefined ? {} : { "additional_chat_templates/tool_use.jinja": tools };
      const folder = await folderWith({ "chat_template.jinja": "plain", ...more });
      return (await loadChatTemplate(folder)).hash;
    });
    expect(new Set(await Promise.all(hashes)).size).toBe(3);
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
    expect(await render(text)).toBe("True no");
  });

  it("is given tools, documents and kwargs, which go before special tokens", async () => {
    const files = {
      "chat_template.jinja":
        "{{ tools | tojson }} {{ documents[0].title }} {{ mode }} {{ bos_token }}",
      "tokenizer_config.json": { bos_token: "<s>" },
    };
    const template = await loadChatTemplate(await folderWith(files));
    const kwargs = { mode: true, bos_token: "<b>" };
    const given = { tools: [{ name: "f" }], documents: [{ title: "T" }], kwargs };
    expect(template.render(HELLO, { addGenerationPrompt: false, ...given })).toBe(
      '[{"name": "f"}] T True <b>',
    );
    const bad = { addGenerationPrompt: false, kwargs: { messages: [] } };
    expect(() => template.render(HELLO, bad)).toThrow('got "messages"');
  });

  it("does not see keys that are null, and sees reasoning under both of its names", async () => {
    const text = "{% for m in messages %}{{ m.keys() | list }}{{ m.thinking }};{% endfor %}";
    const template = await loadChatTemplate(await folderWith({ "chat_template.jinja": text }));
    const messages = [
      { role: "user", content: null, tool_calls: null },
      { role: "assistant", content: "b", reasoning: "r" },
    ];
    expect(template.render(messages, { addGenerationPrompt: false })).toBe(
      "['role'];['thinking', 'role', 'content', 'reasoning', 'reasoning_content']r;",
    );
  });

  it("says what of the conversation it did not read", async () => {
    const text =
      "{% for m in messages %}{{ m.role }}{{ m['content'] }}{{ m.thinking }}{% if 'name' in m %}{% endif %}{% endfor %}{{ mode }}";
    const template = await loadChatTemplate(await folderWith({ "chat_template.jinja": text }));
    const messages = [
      { role: "user", content: "a", name: "Ann" },
      { role: "assistant", content: "b", reasoning: "r", tool_calls: [] },
    ];
    const given = { tools: [], kwargs: { mode: 1, other: 2 } };
    expect(template.renderWhole(messages, { addGenerationPrompt: false, ...given })).toMatchObject({
      unreadKeys: [["name"], ["tool_calls"]],
      unreadOptions: ["tools", "other"],
    });
  });

  it("keeps the order of keys and the kind of numbers that it is given", async () => {
    const folder = await folderWith({ "chat_template.jinja": "{{ tools | tojson }}" });
    const template = await loadChatTemplate(folder);
    const values = [1, new JsonFloat(1), 1.5, 2n ** 64n];
    const tools = [
      new Map<string, Plain>([
        ["2", values],
        ["1", null],
      ]),
    ];
    expect(template.render(HELLO, { addGenerationPrompt: false, tools })).toBe(
      '[{"2": [1, 1.0, 1.5, 18446744073709551616], "1": null}]',
    );
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
      /fails \(line 1: OverflowError: Range too big/,
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
