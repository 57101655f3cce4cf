import type { Token, TokenType } from "./lexer.ts";
import { TemplateSyntaxError } from "./python-error.ts";

/** The tokens of a template, read one by one. */
export class TokenStream {
  private readonly tokens: readonly Token[];
  private position = 0;

  /** The last token is "eof". */
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  get current(): Token {
    return this.tokens[this.position]!; // next() stays on the last one
  }

  get following(): Token {
    return this.tokens[Math.min(this.position + 1, this.tokens.length - 1)]!; // within bounds
  }

  next(): Token {
    const token = this.current;
    if (token.type !== "eof") this.position++;
    return token;
  }

  is(type: TokenType, ...values: readonly string[]): boolean {
    const { current } = this;
    return current.type === type && (values.length === 0 || values.includes(current.value));
  }

  isOperator(...signs: readonly string[]): boolean {
    return this.is("operator", ...signs);
  }

  isWord(...words: readonly string[]): boolean {
    return this.is("name", ...words);
  }

  /** Reads the token if it is this one. */
  skip(type: TokenType, value: string): boolean {
    const found = this.is(type, value);
    if (found) this.next();
    return found;
  }

  expect(type: TokenType, value?: string): Token {
    const found = value === undefined ? this.is(type) : this.is(type, value);
    if (found) return this.next();
    throw this.error(`expected token '${value ?? type}', got '${describe(this.current)}'`);
  }

  error(message: string, line = this.current.line): TemplateSyntaxError {
    return new TemplateSyntaxError(message, line);
  }
}

/** A token in the words of an error message. */
export function describe({ type, value }: Token): string {
  const words: Partial<Record<TokenType, string>> = {
    eof: "end of template",
    block_end: "end of statement block",
    variable_end: "end of print statement",
  };
  return words[type] ?? value;
}
