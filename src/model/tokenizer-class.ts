/**
 * @file Warns where transformers 5 gives other ids than tokenizer.json. Some of its tokenizer classes take only the vocabulary from
 * that file and build the rest themselves; AutoTokenizer chooses the class from tokenizer_class and model_type. Written after
 * transformers 5.24; a class that is not named here is taken from tokenizer.json whole, there as here.
 */
import { join } from "node:path";

import { type AddedToken, findAddedTokens } from "./tokenizer-added-tokens.ts";
import {
  CLASS_ALIASES,
  OTHER_REBUILT_CLASSES,
  REBUILT_CLASSES,
  type Rebuild,
} from "./tokenizer-class-list.ts";
import { type TokenizerConfig, isRecord, readJsonObject } from "./tokenizer-config.ts";
import { type NativeTokenizer, TokenizersError, openNativeTokenizer } from "./tokenizer-thread.ts";

type Json = Readonly<Record<string, unknown>>;

/** The class that transformers 5 has for a model_type; others of our families have none of their own. */
const CLASS_OF_MODEL: Readonly<Record<string, string>> = {
  gemma: "GemmaTokenizer",
  gemma2: "GemmaTokenizer",
  gemma3: "GemmaTokenizer",
  gemma3_text: "GemmaTokenizer",
  gpt2: "GPT2Tokenizer",
  gpt_neox: "GPTNeoXTokenizer",
  granite: "TokenizersBackend",
  mistral: "TokenizersBackend",
  olmo: "GPTNeoXTokenizer",
  olmo2: "TokenizersBackend",
  olmo3: "TokenizersBackend",
  olmoe: "GPTNeoXTokenizer",
  phi3: "TokenizersBackend",
  qwen2: "Qwen2Tokenizer",
  qwen2_moe: "Qwen2Tokenizer",
  qwen3: "Qwen2Tokenizer",
};
/** Model types whose published tokenizer_class transformers knows to be wrong, and passes over. */
const WRONGLY_NAMED = new Set(["phi3", "qwen2"]);

/** Texts that tell pipelines apart: blanks at both ends, runs, digits, line ends, contractions, accents in both forms. */
const PROBES = [
  "Hello, world!",
  " leading blank",
  "trailing blank ",
  "two  three   four    blanks",
  "it's WE'LL they'd",
  "12345 and 3.14",
  "line\none\r\n\r\n  two\n\n\nthree",
  "caf\u00e9 cafe\u0301 \ufb01 \u00bd",
  "\u4eca\u65e5\u306f \u043f\u0440\u0438\u0432\u0435\u0442 \u{1f642}",
  "def f(x):\n\treturn x  # done",
  "...!!! ?? --",
  "",
];

/** A warning where transformers 5 would give other ids than these files say, with a text that shows it; none otherwise. */
export async function describeClassChange(
  dir: string,
  given: {
    readonly json: Json;
    readonly config: TokenizerConfig;
    readonly native: NativeTokenizer;
    readonly added: readonly AddedToken[];
  },
): Promise<readonly string[]> {
  const { json, config, native, added } = given;
  const model = (await readJsonObject(join(dir, "config.json"))) ?? {};
  const chosen = transformersClass(config.raw, model, json);
  const name = CLASS_ALIASES[chosen] ?? chosen;
  const where = join(dir, "tokenizer_config.json");
  if (OTHER_REBUILT_CLASSES.has(name)) {
    return [
      `${where}: transformers 5 builds the tokenizer class ${name} from the vocabulary alone; ids here are those of tokenizer.json`,
    ];
  }
  const rebuild = REBUILT_CLASSES[name];
  if (rebuild === undefined) return [];
  const rebuilt = rebuild(json, config.raw);
  // Of tokenizer.json's own added tokens such a class takes none where the configuration has a list.
  const { addedTokensDecoder: listed } = config;
  const own = listed === undefined ? addedTokensOf(json) : [];
  const keepsTokens =
    listed === undefined ||
    addedTokensOf(json).every(({ id }) => Object.hasOwn(listed, String(id)));
  if (keepsTokens && isSamePipeline(json, rebuilt)) return [];
  const { tokens } = findAddedTokens(own, { has: () => true }, config, dir);
  const other = { json: JSON.stringify({ ...rebuilt, added_tokens: own }), added: tokens };
  const texts = [...PROBES, ...tokenProbes(json, added)];
  const probe = await findDifference(native, other, texts);
  if (probe === undefined) return [];
  return [
    `${where}: transformers 5 builds its class ${name} anew, and ${probe}; ids here are those of tokenizer.json`,
  ];
}

/** As AutoTokenizer of transformers 5.24 chooses; "TokenizersBackend" is the one that takes tokenizer.json whole. */
function transformersClass(config: Json, model: Json, json: Json): string {
  const named = [config["tokenizer_class"], model["tokenizer_class"]].find(
    (name) => typeof name === "string",
  );
  const type = typeof model["model_type"] === "string" ? model["model_type"] : "";
  const registered = CLASS_OF_MODEL[type];
  if (typeof named !== "string") return registered ?? "TokenizersBackend";
  const hub = named.replace(/Fast$/, "");
  if (hub === "LlamaTokenizer" && !WRONGLY_NAMED.has(type) && hasByteLevel(json)) {
    return "TokenizersBackend";
  }
  if (registered === undefined || registered === hub) return hub;
  if (registered === "TokenizersBackend") return registered;
  return WRONGLY_NAMED.has(type) ? registered : hub;
}

function hasByteLevel(json: Json): boolean {
  const { model: _model, added_tokens: _added, ...parts } = json;
  return JSON.stringify(parts).includes('"ByteLevel"');
}

/** Whether two files cut texts up alike by the letter; where not, they may still give the same ids. */
function isSamePipeline(json: Json, rebuilt: Rebuild): boolean {
  const parts = ({ normalizer, pre_tokenizer, post_processor, model }: Json): string => {
    const {
      vocab: _vocab,
      merges: _merges,
      type: _type,
      ...settings
    } = isRecord(model) ? model : {};
    return JSON.stringify([normalizer, pre_tokenizer, post_processor, settings], (key, value) =>
      key === "trim_offsets" ? undefined : sorted(value),
    );
  };
  return parts(json) === parts(rebuilt);
}

function sorted(value: unknown): unknown {
  const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
  return isRecord(value) ? Object.fromEntries(Object.entries(value).toSorted(byKey)) : value;
}

/** A text that the two read differently, in words. */
async function findDifference(
  here: NativeTokenizer,
  { json, added }: { readonly json: string; readonly added: readonly AddedToken[] },
  texts: readonly string[],
): Promise<string | undefined> {
  const ids = (tokenizer: NativeTokenizer): string[] => {
    const [plain, special] = [false, true].map((around) => tokenizer.encode(texts, around));
    return texts.map((_, i) => `${plain![i]!.join()} ${special![i]!.join()}`); // as many as texts
  };
  const own = ids(here);
  try {
    const other = ids(await openNativeTokenizer(json, added));
    const text = texts.find((_, i) => own[i] !== other[i]);
    return text === undefined ? undefined : `${JSON.stringify(text)} gets other ids there`;
  } catch (error) {
    if (!(error instanceof TokenizersError)) throw error;
    return `fails with this vocabulary (${error.message})`;
  }
}

/** A word and a blank behind added tokens, where pipelines that begin a text in their own way differ. */
function tokenProbes(json: Json, added: readonly AddedToken[]): string[] {
  const texts = [
    ...addedTokensOf(json).map((token) => String(token["content"])),
    ...added.map((t) => t.content),
  ];
  return texts.slice(0, 8).flatMap((text) => [`${text}hello`, `a${text} hello ${text}\n`]);
}

function addedTokensOf(json: Json): readonly Json[] {
  return Array.isArray(json["added_tokens"]) ? json["added_tokens"].filter(isRecord) : [];
}
