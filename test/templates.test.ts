/**
 * @file Chat templates against Jinja2 as transformers sets it up: single constructs, and whole templates with conversations. How the
 * expected values come about says test/golden/templates/make_templates.py.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { formatTemplateDate } from "../src/model/chat-template-date.ts";
import { type PlainMessage, chatVariables } from "../src/model/chat-template-variables.ts";
import { TemplateRefusal, compileTemplate } from "../src/template/compile-template.ts";
import type { Plain } from "../src/template/from-plain.ts";
import { CulpritError, UnsupportedError } from "../src/util/errors.ts";

type Variables = { readonly [name: string]: Plain };
/** Group, template, and what Python makes of it: a text, or null with an exception and, of the template's own ones, its words. */
type Case = readonly [string, string, string | null, string?, string?];

interface Constructs {
  readonly context: Variables;
  readonly cases: readonly Case[];
}

interface Renderings {
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly conversations: readonly (readonly [string, Conversation])[];
  readonly templates: readonly (readonly [string, string])[];
  readonly outcomes: readonly (readonly [string, string])[];
  readonly texts: readonly (readonly [string, readonly (string | null)[]])[];
}

interface Conversation {
  readonly messages: readonly PlainMessage[];
  readonly tools?: readonly Plain[];
  readonly documents?: readonly Plain[];
  readonly [name: string]: Plain | undefined;
}

const golden = (name: string): string =>
  readFileSync(new URL(`golden/templates/${name}`, import.meta.url), "utf8");
const constructs = JSON.parse(golden("constructs.json")) as Constructs;
const renderings = JSON.parse(golden("renderings.json")) as Renderings;

/** Of the constructs, those that are refused by name although Python renders them. */
const REFUSED = [
  "{{ self }}",
  "{{ 'STRASSE ß'.casefold() }}",
  "{{ s.encode() }}",
  "{{ html|striptags }}",
  "{{ 1500|filesizeformat }}",
  "{{ d|xmlattr }}",
  "{{ s|pprint }}",
  "{{ l|random }}",
  "{{ s|wordwrap(5) }}",
  "{{ s|urlize }}",
  "{{ {'a': 1}[:2] }}",
  "{{ true[:2] }}",
  "{{ 5[1:] }}",
  "{{ d.items() - d.items() }}",
  "{{ lipsum() }}",
  "{% block a %}x{% endblock %}",
  "{% autoescape true %}{{ html }}{% endautoescape %}",
];

function attempt(render: () => string): string | CulpritError {
  try {
    return render();
  } catch (error) {
    if (error instanceof CulpritError) return error;
    throw error;
  }
}

function compile(text: string): ReturnType<typeof compileTemplate> {
  return compileTemplate(text, { source: "chat_template.jinja", formatDate: formatTemplateDate });
}

/** What is wrong with the outcome, undefined if nothing is. */
function wrong([, template, text, exception, words]: Case): string | undefined {
  const got = attempt(() => compile(template).render(constructs.context).text);
  if (typeof got === "string") return got === text ? undefined : `printed ${JSON.stringify(got)}`;
  if (exception === "TemplateError") {
    const isRight = got instanceof TemplateRefusal && got.message.endsWith(`: ${words}`);
    return isRight ? undefined : got.message;
  }
  return text === null || got instanceof UnsupportedError ? undefined : got.message;
}

describe("a construct of Jinja renders as in transformers, or fails or is refused", () => {
  const groups = [...new Set(constructs.cases.map(([group]) => group))];

  it.each(groups)("%s", (group) => {
    const cases = constructs.cases.filter((each) => each[0] === group);
    const differences = cases.flatMap((each) => {
      const fault = wrong(each);
      return fault === undefined ? [] : [{ template: each[1], expected: each[2], fault }];
    });
    expect(differences).toEqual([]);
    expect(cases.length).toBeGreaterThan(30);
  });

  it("only a known few are refused that Python renders", () => {
    const refused = constructs.cases.filter(([, template, text, exception]) => {
      if (text === null && exception !== "Random") return false;
      const got = attempt(() => compile(template).render(constructs.context).text);
      return (
        got instanceof UnsupportedError &&
        /chat template is not supported: it .*line 1/.test(got.message)
      );
    });
    expect(refused.map(([, template]) => template)).toEqual(REFUSED);
  });
});

function sha(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function outcomes(template: string): { readonly short: string; readonly text: string | null }[] {
  const compiled = compile(template);
  return renderings.conversations.flatMap(([, { messages, tools, documents, ...kwargs }]) =>
    [false, true].map((addGenerationPrompt) => {
      const options = { addGenerationPrompt, tools, documents, kwargs };
      const variables = chatVariables(messages, options, renderings.specialTokens);
      const got = attempt(() => compiled.render(variables).text);
      if (typeof got === "string") return { short: sha(got), text: got };
      expect(got).not.toBeInstanceOf(UnsupportedError);
      const [, words] = /rejects the conversation: ([^]*)$/.exec(got.message) ?? [];
      return { short: words === undefined ? "fails" : `refused${sha(words)}`, text: null };
    }),
  );
}

describe("25 conversations, without and with the generation prompt", () => {
  const expected = new Map(renderings.outcomes);
  const texts = new Map(renderings.texts);

  it.each(renderings.templates)("through the template %s", (name, template) => {
    const got = outcomes(template);
    const whole = got.map(({ text }) => text);
    expect(whole).toEqual(texts.get(name) ?? whole);
    expect(got.map(({ short }) => short)).toEqual(expected.get(name)!.split(" "));
  });

  it("are a hundred templates and more", () => {
    expect(renderings.templates.length).toBeGreaterThanOrEqual(100);
    expect(renderings.conversations).toHaveLength(25);
  });
});
