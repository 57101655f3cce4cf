/**
 * @file Which template engine renders as transformers does: counts, over the constructs and the templates of test/golden/templates, the
 * outcomes that differ from Python's. Needs the other engines, which are no dependencies of the project:
 *
 *     npm install --no-save @huggingface/jinja minijinja-js nunjucks
 *     npx tsx bench/template-engines.ts ENGINE [PUBLISHED.json]
 *
 * PUBLISHED.json is what `make_templates.py --published` wrote. "fails" is an error where Python renders, "wrong" another text, or a
 * text where Python fails. An engine gets what is customary for chat templates: raise_exception, strftime_now, a tojson without HTML
 * escapes where it can be given one.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { formatTemplateDate } from "../src/model/chat-template-date.ts";
import { type PlainMessage, chatVariables } from "../src/model/chat-template-variables.ts";
import { compileTemplate } from "../src/template/compile-template.ts";
import type { Plain } from "../src/template/from-plain.ts";

type Variables = { readonly [name: string]: unknown };
type Render = (variables: Variables) => string;
/** The parts of the other engines that are used here; they may be absent, so that their types are, too. */
type Loose = Readonly<Record<string, new (...args: unknown[]) => LooseObject>>;
interface LooseObject {
  [name: string]: unknown;
  set(name: string, value: unknown): void;
  run(program: unknown): { readonly value: unknown };
  renderStr(template: string, variables: Variables): unknown;
  renderString(template: string, variables: Variables): unknown;
  addGlobal(name: string, value: unknown): void;
  addFilter(name: string, value: unknown): void;
  enablePyCompat(): void;
}

const load = (name: string): Loose => createRequire(import.meta.url)(name) as Loose;

function raise(words: unknown): never {
  throw new Error(`raised: ${String(words)}`);
}

function rangeOf(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.min(100_000, Math.max(0, Math.ceil((stop - start) / step)));
  return Array.from({ length }, (_, i) => start + i * step);
}

const functions = { raise_exception: raise, strftime_now: formatTemplateDate };

/** From an engine's name to how it takes a template. */
const ENGINES: Readonly<Record<string, () => (template: string) => Render>> = {
  "src/template": () => (template) => {
    const options = { source: "template", formatDate: formatTemplateDate };
    const compiled = compileTemplate(template, options);
    return (variables) => compiled.render(variables as { [name: string]: Plain }).text; // from JSON
  },
  "@huggingface/jinja": () => {
    const { Environment, Interpreter, Template } = load("@huggingface/jinja");
    const constants = {
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
    };
    return (template) => {
      const { parsed } = new Template!(template);
      return (variables) => {
        const environment = new Environment!();
        const all = { ...constants, ...functions, range: rangeOf, ...variables };
        for (const [name, value] of Object.entries(all)) environment.set(name, value);
        return String(new Interpreter!(environment).run(parsed).value);
      };
    };
  },
  "minijinja-js": () => {
    const { Environment } = load("minijinja-js");
    const environment = new Environment!();
    environment["trimBlocks"] = true;
    environment["lstripBlocks"] = true;
    environment.enablePyCompat();
    environment["fuel"] = 1_000_000;
    // An exception of JavaScript breaks its WebAssembly for good, so this one marks the text instead.
    const mark = "\0raised";
    environment.addGlobal("raise_exception", () => mark);
    environment.addGlobal("strftime_now", formatTemplateDate);
    return (template) => (variables) => {
      const text = String(environment.renderStr(template, variables));
      return text.includes(mark) ? raise(text) : text;
    };
  },
  nunjucks: () => {
    const { Environment } = load("nunjucks");
    const options = { autoescape: false, trimBlocks: true, lstripBlocks: true };
    const environment = new Environment!(null, options);
    for (const [name, value] of Object.entries(functions)) environment.addGlobal(name, value);
    const json = (value: unknown, indent?: number): string =>
      JSON.stringify(value, undefined, indent);
    environment.addFilter("tojson", json);
    return (template) => (variables) => String(environment.renderString(template, variables));
  },
};

/** One template with several sets of variables, and what each gives in Python: a text, the start of its SHA-256, or "fails". */
interface Item {
  readonly set: string;
  readonly template: string;
  readonly cases: readonly { readonly variables: Variables; readonly expected: string }[];
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function constructs(): Item[] {
  const { context, cases } = readGolden("constructs.json") as {
    context: Variables;
    cases: [string, string, string | null][];
  };
  // minijinja-js 2.11 never comes back from this one.
  const endless = "{{ s.count('') }}";
  return cases
    .filter(([, template]) => template !== endless)
    .map(([, template, text]) => ({
      set: "constructs",
      template,
      cases: [{ variables: context, expected: text === null ? "fails" : digest(text) }],
    }));
}

interface Whole {
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly conversations: readonly (readonly [string, Conversation])[];
  readonly templates: readonly (readonly [string, string])[];
  readonly outcomes: readonly (readonly [string, string])[];
}

interface Conversation {
  readonly messages: readonly PlainMessage[];
  readonly tools?: readonly Plain[];
  readonly documents?: readonly Plain[];
  readonly [name: string]: Plain | undefined;
}

function whole({ specialTokens, conversations, templates, outcomes }: Whole, set: string): Item[] {
  const variables = conversations.flatMap(([, { messages, tools, documents, ...kwargs }]) =>
    [false, true].map((addGenerationPrompt) =>
      chatVariables(messages, { addGenerationPrompt, tools, documents, kwargs }, specialTokens),
    ),
  );
  const expected = new Map(outcomes);
  return templates.map(([name, template]) => ({
    set,
    template,
    cases: expected
      .get(name)!
      .split(" ")
      .map((outcome, i) => ({
        variables: variables[i]!,
        expected: outcome.startsWith("refused") ? "fails" : outcome,
      })),
  }));
}

function readGolden(name: string): unknown {
  const url = new URL(`../test/golden/templates/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

function count(engine: (template: string) => Render, items: readonly Item[]): string {
  const counts = { tried: 0, wrong: 0, fails: 0 };
  for (const { template, cases } of items) {
    const render = attempt(() => engine(template));
    for (const { variables, expected } of cases) {
      const text =
        render === undefined ? undefined : attempt(() => render(structuredClone(variables)));
      const got = text === undefined ? "fails" : digest(text);
      counts.tried++;
      if (got !== expected) counts[got === "fails" ? "fails" : "wrong"]++;
    }
  }
  return `${counts.wrong} wrong, ${counts.fails} fail of ${counts.tried}`;
}

/** Undefined where it throws: that counts as a failure of the template. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

const [name = "", published] = process.argv.slice(2);
const start = ENGINES[name];
if (start === undefined) throw new Error(`expected one of ${Object.keys(ENGINES).join(", ")}`);
const engine = start();
const sets: Readonly<Record<string, readonly Item[]>> = {
  constructs: constructs(),
  "our own templates": whole(readGolden("renderings.json") as Whole, "own"),
  ...(published === undefined
    ? {}
    : { published: whole(JSON.parse(readFileSync(published, "utf8")) as Whole, "published") }),
};
for (const [set, items] of Object.entries(sets)) {
  process.stdout.write(`${name}, ${set}: ${count(engine, items)}\n`);
}
