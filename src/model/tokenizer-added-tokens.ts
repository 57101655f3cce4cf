import { FormatError } from "../util/errors.ts";
import { type TokenizerConfig, isRecord, tokenText } from "./tokenizer-config.ts";

/** A token that is cut out of a text before anything else is done with it. */
export interface AddedToken {
  readonly content: string;
  /** Left out of a text by `skipSpecialTokens`. */
  readonly special: boolean;
  /** Takes the white space on that side with it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Only where no word character stands beside it. */
  readonly singleWord: boolean;
  /** Sought in the normalised text. */
  readonly normalized: boolean;
}

/** What has to be added to a tokenizer.json. */
export interface AddedTokens {
  /** In the order in which they are added, which gives ids to those that the vocabulary lacks. */
  readonly tokens: readonly AddedToken[];
  /** The ids that the files give to added tokens, by text; the library's must be these. */
  readonly ids: ReadonlyMap<string, number>;
}

/**
 * The tokens that the files beside a tokenizer.json add to it, by the rule of transformers 5 (TokenizersBackend): first those
 * declared with an id (added_tokens_decoder, else added_tokens.json), whose flags win over tokenizer.json's, then the named ones
 * that are in the vocabulary only. `vocab` says whether it has a text. Throws FormatError where a token is named that has no id:
 * transformers would make one up, which the model's embedding does not know.
 */
export function findAddedTokens(
  listed: unknown,
  vocab: { has(text: string): boolean },
  config: TokenizerConfig,
  dir: string,
): AddedTokens {
  const own = (Array.isArray(listed) ? listed : []).filter(isRecord);
  const declared = new Map(declaredTokens(config));
  // Older folders: tokenizer.json has the last word on an id that both name.
  if (config.addedTokensDecoder === undefined) {
    for (const token of own) declared.set(Number(token["id"]), token);
  }
  const ids = new Map(own.map((token) => [String(token["content"]), Number(token["id"])]));
  for (const [id, token] of declared) ids.set(tokenText(token) ?? "", id);
  const names = new Set(config.namedTokens.map(tokenText));
  const tokens = [...declared]
    .toSorted(([a], [b]) => a - b)
    .map(([, token]) => readToken(names.has(tokenText(token)) ? asSpecial(token) : token));
  // Of a token that is named twice with other flags the last ones count.
  const seen = new Set<string>();
  for (const value of [...config.namedTokens, ...config.extraTokens]) {
    const content = tokenText(value);
    const key = JSON.stringify(isRecord(value) ? readToken(value) : value);
    if (seen.has(key)) continue;
    seen.add(key);
    if (content === undefined || content === "" || ids.has(content)) continue;
    if (!vocab.has(content)) throw namedWithoutId(content, dir);
    const isSpecial = names.has(content) || !isRecord(value);
    const token = isRecord(value) ? value : { content };
    tokens.push(readToken(isSpecial ? asSpecial(token) : token));
  }
  return { tokens, ids };
}

type Json = Readonly<Record<string, unknown>>;

function declaredTokens({
  addedTokensDecoder,
  addedTokensFile,
  specialInFile,
}: TokenizerConfig): readonly (readonly [number, Json])[] {
  if (addedTokensDecoder === undefined) {
    return Object.entries(addedTokensFile).map(([content, id]) => [
      Number(id),
      { content, special: specialInFile.has(content) },
    ]);
  }
  return Object.entries(addedTokensDecoder).map(([id, token]) => [
    Number(id),
    isRecord(token) ? token : { content: token },
  ]);
}

function asSpecial(token: Json): Json {
  return { ...token, special: true };
}

/** The defaults are those of the library's AddedToken. */
function readToken(token: Json): AddedToken {
  const special = token["special"] === true;
  const normalized = token["normalized"];
  return {
    content: tokenText(token) ?? "",
    special,
    lstrip: token["lstrip"] === true,
    rstrip: token["rstrip"] === true,
    singleWord: token["single_word"] === true,
    normalized: typeof normalized === "boolean" ? normalized : !special,
  };
}

function namedWithoutId(content: string, dir: string): FormatError {
  return new FormatError(
    `${dir}: the special token ${JSON.stringify(content)} is named, but no file gives it an id`,
    {
      hint:
        "Put the folder's added_tokens.json beside tokenizer.json, or take the name out of tokenizer_config.json and " +
        "special_tokens_map.json; transformers would give it the next free id, which the model was not trained with.",
    },
  );
}
