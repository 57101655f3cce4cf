import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import type { JsonObject } from "../format/json-value.ts";
import type { Message, RowContext } from "../format/messages.ts";
import { createRenderer } from "./prompt-renderer.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/tokenizer/", import.meta.url));
const folder = suiteFolder();
let folders = 0;

/** What of a row a template hides. */
async function hiddenBy(
  template: string,
  [prompt, response]: readonly [readonly Message[], readonly Message[]],
  context: RowContext = {},
): Promise<readonly string[] | undefined> {
  const dir = join(folder, `${folders++}`);
  await cp(join(GOLDEN, "chatml-plain"), dir, { recursive: true });
  await writeFile(join(dir, "chat_template.jinja"), template);
  const renderer = await createRenderer(dir);
  return renderer.tokenize(prompt, [response], context).hidden;
}

const loop = (body: string): string =>
  `{% for m in messages %}<{{ m.role }}>${body}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;
const plain = loop("{{ m.content }}");
const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string, more: JsonObject = {}): Message => ({
  role: "assistant",
  content,
  whole: { role: "assistant", content, ...more },
});
const weather = (town: string): JsonObject => ({
  type: "function",
  function: { name: "weather", arguments: { town } },
});
const calling = [
  [user("Rain in Ghent or Paris?")],
  [assistant("I look.", { tool_calls: [weather("Ghent"), weather("Paris")] })],
] as const;
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      description: "Tells the weather.",
      parameters: { type: "object", properties: { town: { type: "string" } } },
    },
  },
];
const asked = [[user("Rain?")], [assistant("No.")]] as const;

describe("a template that looks at a thing and shows less of it", () => {
  const R1 = loop(
    "{% if '</think>' in m.content %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}",
  );
  const thought = "<think>They ask for rain.</think>No.";
  const parts = [
    { type: "text", text: "first" },
    { type: "text", text: "second" },
  ];
  const ofParts = { role: "user", content: "firstsecond", whole: { role: "user", content: parts } };

  it.each([
    ["thinking", R1, [[user("Rain?")], [assistant(thought)]], {}, "the text of the assistant turn"],
    ["a long text", loop("{{ m.content[:5] }}"), asked, {}, undefined],
    [
      "a long text",
      loop("{{ m.content[:5] }}"),
      [[user("Rain or snow?")], [assistant("No.")]],
      {},
      "the text of the user turn",
    ],
    [
      "a text that another turn has too",
      loop("{{ m.content if m.role == 'user' else m.content[:2] }}"),
      [[user("Say yes.")], [assistant("yes.")]],
      {},
      "the text of the assistant turn",
    ],
    [
      "a second part",
      loop("{{ m.content if m.content is string else m.content[0].text }}"),
      [[ofParts as Message], [assistant("No.")]],
      {},
      undefined, // a template that does not show all parts is given the joined text
    ],
    ["tools", `{% if tools %}You may call tools.{% endif %}${plain}`, asked, { tools }, "tools"],
    [
      "schemas",
      `{% for t in tools or [] %}{{ t.function.name }}{% endfor %}${plain}`,
      asked,
      { tools },
      "tools",
    ],
    ["no tool", `{{ tools | tojson }}${plain}`, asked, { tools }, undefined],
    [
      "calls",
      loop("{{ m.content }}{% if m.tool_calls %}<call>{% endif %}"),
      calling,
      {},
      "tool_calls",
    ],
    [
      "arguments",
      loop("{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function.name }}{% endfor %}"),
      calling,
      {},
      "tool_calls",
    ],
    [
      "a second call",
      loop("{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls[0] | tojson }}{% endif %}"),
      calling,
      {},
      "tool_calls",
    ],
    ["no call", loop("{{ m.content }}{{ (m.tool_calls or []) | tojson }}"), calling, {}, undefined],
    [
      "reasoning",
      loop("{{ m.content }}{% if m.reasoning_content %}<think></think>{% endif %}"),
      [[user("q")], [assistant("a", { reasoning_content: "They ask." })]],
      {},
      "reasoning_content",
    ],
    [
      "documents",
      `{% for d in documents or [] %}{{ d.title }}{% endfor %}${plain}`,
      asked,
      { documents: [{ title: "Plan", text: "It begins at nine." }] },
      "documents",
    ],
  ] as const)("is told what it hides: %s by %s", async (_, template, row, context, hidden) => {
    const expected = hidden === undefined ? [] : [hidden];
    expect(await hiddenBy(template, row, context)).toEqual(expected);
  });

  it("hides nothing by moving, trimming or writing white space otherwise", async () => {
    const template = loop(
      "{% if '</think>' in m.content %}<think>\n{{ m.content.split('</think>')[0].split('<think>')[-1] | trim }}\n</think>\n\n{{ m.content.split('</think>')[-1] | trim }}{% else %}{{ m.content | trim }}{% endif %}",
    );
    expect(await hiddenBy(template, [[user(" Rain?\n")], [assistant(thought)]])).toEqual([]);
  });

  it("may hide thinking of earlier turns where it shows that of the last", async () => {
    const template = loop("{{ m.content if loop.last else m.content.split('</think>')[-1] }}");
    const prompt = [user("a"), assistant("<think>x</think>b"), user("c")];
    expect(await hiddenBy(template, [prompt, [assistant(thought)]])).toEqual([]);
    expect(await hiddenBy(template, [prompt, [assistant("No.")]])).toEqual([
      "the text of the assistant turn",
    ]);
  });

  it("does not take the generation prompt's words for the response's", async () => {
    const template = `{% for m in messages %}{{ m.content }}|{% endfor %}{% if add_generation_prompt %}<think>{% endif %}`;
    expect(await hiddenBy(template, [[user("q")], [assistant("<thanks>")]])).toEqual([]);
  });
});
