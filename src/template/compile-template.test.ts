import { describe, expect, it } from "vitest";

import { ConfigError, CulpritError, UnsupportedError } from "../util/errors.ts";
import { TemplateFailure, TemplateRefusal, compileTemplate } from "./compile-template.ts";
import type { Plain } from "./from-plain.ts";

// That templates render as in Python is held in test/templates.test.ts. Here: what is refused, and how it is said.

type Variables = { readonly [name: string]: Plain };

function render(text: string, variables: Variables = {}): string {
  const options = { source: "chat_template.jinja", formatDate: (format: string) => format };
  return compileTemplate(text, options).render(variables).text;
}

function errorOf(text: string, variables: Variables = {}): CulpritError {
  try {
    render(text, variables);
  } catch (error) {
    if (error instanceof CulpritError) return error;
    throw error;
  }
  throw new Error(`no error from ${text}`);
}

describe("compileTemplate refuses when it loads", () => {
  const compile = (text: string): unknown =>
    compileTemplate(text, { source: "chat_template.jinja", formatDate: (format) => format });

  it.each([
    ["a\n{% if no %}{{ x | urlize }}{% endif %}", 'it uses the filter "urlize" (line 2)'],
    ["a\n\n{{ x.encode() }}", "it uses the str method encode() (line 3)"],
    ["{% include 'x' %}", "it uses the statement {% include %} (line 1)"],
    ["\n{{ lipsum() }}", "it uses lipsum (line 2)"],
    [String.raw`{{ '\N{BULLET}' }}`, String.raw`\N in a string (line 1)`],
  ])("a construct that it does not have, with its line: %s", (text, message) => {
    expect(() => compile(text)).toThrow(UnsupportedError);
    expect(() => compile(text)).toThrow(message);
    expect(() => compile(text)).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining("--template raw") as string,
      }) as Error,
    );
  });

  it.each([
    ["a\n{% for m in messages %}", "line 2: Unexpected end of template"],
    ["{% nonsense %}", "line 1: Encountered unknown tag 'nonsense'"],
    ["\n\n{{ x | nonsense }}", "line 3: No filter named 'nonsense'"],
    ["{{ x is nonsense }}", "line 1: No test named 'nonsense'"],
    ["{{ messages[0]. }}", "line 1: expected name or number"],
    ["{% break %}", "line 1: 'break' outside loop"],
  ])("what Jinja refuses, too: %s", (text, message) => {
    expect(() => compile(text)).toThrow(ConfigError);
    expect(() => compile(text)).toThrow(message);
  });
});

describe("a rendering says", () => {
  it("the template's own words where it raises an exception", () => {
    const error = errorOf("{{ raise_exception('No ' ~ role ~ ' here') }}", { role: "system" });
    expect(error).toBeInstanceOf(TemplateRefusal);
    expect(error.message).toBe(
      "chat_template.jinja: the chat template rejects the conversation: No system here",
    );
  });

  it("the line and Python's exception where the template fails", () => {
    const error = errorOf("{{ a }}\n{% for m in messages %}\n{{ m.x + 'b' }}{% endfor %}", {
      messages: [{ role: "user" }],
    });
    expect(error).toBeInstanceOf(TemplateFailure);
    expect(error.message).toContain("line 3: UndefinedError: 'dict object' has no attribute 'x'");
  });

  it("what of messages and variables was not read", () => {
    const options = { source: "t", formatDate: (format: string) => format };
    const template = compileTemplate("{% for m in messages %}{{ m.role }}{% endfor %}", options);
    const { unreadKeys, readVariables } = template.render({
      messages: [{ role: "user", content: "a", name: "b" }, { role: "user" }],
      tools: null,
    });
    expect(unreadKeys).toEqual([["content", "name"], []]);
    expect([...readVariables]).toEqual(["messages"]);
  });

  it.each(["{{ messages }}", "{{ messages | tojson }}", "{{ messages[0].items() | list }}"])(
    "all keys as read where a whole message is printed: %s",
    (text) => {
      const template = compileTemplate(text, { source: "t", formatDate: (format) => format });
      expect(template.render({ messages: [{ role: "user", x: 1 }] }).unreadKeys).toEqual([[]]);
    },
  );
});

describe("a hostile template", () => {
  const nested = (depth: number): Plain => {
    let value: Plain = [];
    for (let i = 0; i < depth; i++) value = [value];
    return value;
  };

  it.each([
    ["brackets without end", `{{ ${"(".repeat(100_000)} }}`],
    ["brackets in brackets", `{{ ${"(".repeat(100_000)}1${")".repeat(100_000)} }}`],
    ["blocks in blocks", `${"{% if 1 %}".repeat(50_000)}x${"{% endif %}".repeat(50_000)}`],
    ["a chain of operators", `{{ 1${" + 1".repeat(200_000)} }}`],
    ["a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"],
    [
      "loops in loops",
      "{% for a in range(2000) %}{% for b in range(2000) %}{% endfor %}{% endfor %}",
    ],
    ["a long text", "{{ 'a' * 100000000 }}"],
    [
      "a text that doubles",
      "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    ],
    [
      "a list that doubles",
      "{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
    ],
    ["much printing", "{% set s = 'a' * 1000000 %}{% for i in range(100) %}{{ s }}{% endfor %}"],
    ["a huge number", "{{ 9 ** (9 ** 9) }}"],
    ["a wide field", "{{ '%999999999d' % 1 }}"],
  ])("cannot break the program by %s", (_, text) => {
    expect(errorOf(text)).toBeInstanceOf(CulpritError);
  });

  it("cannot break the program by deep data", () => {
    const variables = { deep: nested(100_000) };
    expect(errorOf("{{ deep }}", variables)).toBeInstanceOf(UnsupportedError);
  });

  it.each([
    "{{ x.constructor }}{{ x['constructor'] }}{{ x.__proto__ }}{{ x.toString }}{{ x.length }}",
    "{{ constructor }}{{ __proto__ }}{{ hasOwnProperty }}{{ globalThis }}{{ process }}",
    "{{ x.__class__ }}{{ namespace.prototype }}{{ range.call }}{{ dict.apply }}{{ raise_exception.bind }}",
  ])("reaches nothing of JavaScript or Python: %s", (text) => {
    for (const x of ["text", [1], { a: 1 }, 1, 1.5, true, null]) {
      expect(render(text, { x })).toBe("");
    }
  });

  it("cannot set a prototype", () => {
    const text = "{% set d = {'__proto__': {'y': 1}} %}{{ d.y }}{{ dict(__proto__=1) }}{{ {}.y }}";
    expect(render(text)).toBe("{'__proto__': 1}");
    expect(({} as { y?: unknown }).y).toBeUndefined();
  });

  it("cannot change what it is given", () => {
    const messages = [{ role: "user", content: "a" }];
    expect(errorOf("{{ messages.append(1) }}", { messages }).message).toContain("is unsafe");
    expect(errorOf("{{ messages[0].update({'role': 'x'}) }}", { messages })).toBeInstanceOf(
      TemplateFailure,
    );
    expect(messages).toEqual([{ role: "user", content: "a" }]);
  });
});
