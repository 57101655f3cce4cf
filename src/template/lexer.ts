/** @file A template's text as tokens, with Jinja's rules for white space under trim_blocks and lstrip_blocks. */
import { TemplateSyntaxError, UnsupportedConstruct } from "./python-error.ts";
import { PYTHON_SPACES, strip } from "./text.ts";

export type TokenType =
  | "data"
  | "variable_begin"
  | "variable_end"
  | "block_begin"
  | "block_end"
  | "name"
  | "string"
  | "integer"
  | "float"
  | "operator"
  | "eof";

export interface Token {
  readonly type: TokenType;
  /** The operator's signs, the name, the text of a string or of data, the digits of a number. */
  readonly value: string;
  readonly line: number;
}

const SPACE = `[${PYTHON_SPACES}]`;
const TAG = /\{[{%#]/g;
const RAW_BEGIN = new RegExp(`\\{%[-+]?${SPACE}*raw${SPACE}*(?:-%\\}${SPACE}*|%\\})`, "y");
const RAW_END = new RegExp(
  `\\{%([-+]?)${SPACE}*endraw${SPACE}*(?:\\+%\\}|-%\\}${SPACE}*|%\\}\\n?)`,
  "g",
);
const COMMENT_END = new RegExp(`\\+#\\}|-#\\}${SPACE}*|#\\}\\n?`, "g");
const BLOCK_END = new RegExp(`\\+%\\}|-%\\}${SPACE}*|%\\}\\n?`, "y");
const VARIABLE_END = new RegExp(`-\\}\\}${SPACE}*|\\}\\}`, "y");
const SPACES = new RegExp(`${SPACE}+`, "y");
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{M}\p{N}\p{Pc}]+/uy;
const STRING = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const OPERATOR = /\*\*|\/\/|==|!=|>=|<=|[+\-/*%~[\](){}><=.:|,;]/y;

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "(": ")", "[": "]" };

/** Throws TemplateSyntaxError where Jinja does. */
export function tokenize(template: string): readonly Token[] {
  return new Lexer(template).all();
}

class Lexer {
  private readonly text: string;
  private readonly tokens: Token[] = [];
  private position = 0;
  private line = 1;
  /** Whether what was read last ended a line. */
  private atLineStart = true;

  constructor(template: string) {
    // One line break at the end is dropped, as keep_trailing_newline is off.
    this.text = template.replace(/\r\n|\r/g, "\n").replace(/\n$/, "");
  }

  all(): readonly Token[] {
    while (this.position < this.text.length) this.readDataAndTag();
    this.add("eof", "");
    return this.tokens;
  }

  private readDataAndTag(): void {
    TAG.lastIndex = this.position;
    const tag = TAG.exec(this.text);
    if (tag === null) {
      this.add("data", this.text.slice(this.position));
      this.advance(this.text.length);
      return;
    }
    const data = this.text.slice(this.position, tag.index);
    const sign = /[-+]/.exec(this.text[tag.index + 2] ?? "")?.[0] ?? "";
    const raw = this.matchAt(RAW_BEGIN, tag.index);
    this.addData(data, sign, tag[0] !== "{{");
    this.advance(tag.index);
    if (raw !== undefined) {
      this.advance(tag.index + raw.length);
      this.readRaw();
      return;
    }
    this.advance(tag.index + 2 + sign.length);
    if (tag[0] === "{#") this.skipComment();
    else this.readCode(tag[0] === "{%" ? "block" : "variable");
  }

  /** Text before a tag, without the blanks that the tag's sign or lstrip_blocks take from its end. */
  private addData(data: string, sign: string, isStripped: boolean): void {
    let kept = data;
    if (sign === "-") kept = strip(data, "right");
    else if (sign !== "+" && isStripped) {
      const lineStart = data.lastIndexOf("\n") + 1;
      const isBlank = strip(data.slice(lineStart), "right") === "";
      if (isBlank && (lineStart > 0 || this.atLineStart)) kept = data.slice(0, lineStart);
    }
    if (kept !== "") this.add("data", kept);
  }

  private skipComment(): void {
    COMMENT_END.lastIndex = this.position;
    const end = COMMENT_END.exec(this.text);
    if (end === null) throw this.error("Missing end of comment tag");
    this.advance(end.index + end[0].length);
  }

  private readRaw(): void {
    RAW_END.lastIndex = this.position;
    const end = RAW_END.exec(this.text);
    if (end === null) throw this.error("Missing end of raw directive");
    this.addData(this.text.slice(this.position, end.index), end[1] ?? "", true);
    this.advance(end.index + end[0].length);
  }

  /** Everything up to `%}` or `}}`. A bracket that is open hides the end of the tag. */
  private readCode(kind: "block" | "variable"): void {
    this.add(`${kind}_begin`, "");
    const open: string[] = [];
    while (this.position < this.text.length) {
      const end =
        open.length > 0 ? undefined : this.match(kind === "block" ? BLOCK_END : VARIABLE_END);
      if (end !== undefined) {
        this.add(`${kind}_end`, "");
        this.advance(this.position + end.length);
        return;
      }
      this.readOne(open);
    }
  }

  private readOne(open: string[]): void {
    const space = this.match(SPACES);
    if (space !== undefined) return this.advance(this.position + space.length);
    const float = this.match(FLOAT);
    if (float !== undefined) return this.take("float", float, float.replaceAll("_", ""));
    const integer = this.match(INTEGER);
    if (integer !== undefined) return this.take("integer", integer, integer.replaceAll("_", ""));
    const name = this.match(NAME);
    if (name !== undefined) {
      if (!/^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(name)) {
        throw this.error("Invalid character in identifier");
      }
      return this.take("name", name, name);
    }
    const string = this.match(STRING);
    if (string !== undefined)
      return this.take("string", string, this.unescape(string.slice(1, -1)));
    const operator = this.match(OPERATOR);
    if (operator === undefined) {
      const character = String.fromCodePoint(this.text.codePointAt(this.position)!); // not at the end
      throw this.error(`unexpected char '${character}'`);
    }
    this.balance(operator, open);
    this.take("operator", operator, operator);
  }

  private balance(operator: string, open: string[]): void {
    const closing = CLOSING[operator];
    if (closing !== undefined) open.push(closing);
    if (!/[})\]]/.test(operator)) return;
    const expected = open.pop();
    if (expected === undefined) throw this.error(`unexpected '${operator}'`);
    if (expected !== operator) throw this.error(`unexpected '${operator}', expected '${expected}'`);
  }

  /** Escapes as Python's unicode-escape codec reads them after a detour over ASCII. */
  private unescape(inner: string): string {
    const ascii = inner.replace(/[^\0-\x7f]/gu, (c) => {
      const code = c.codePointAt(0)!; // a match has a character
      const hex = code.toString(16);
      if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
      return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
    });
    return ascii.replace(
      /\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}|[^])/g,
      (whole, escape: string) => this.unescapeOne(whole, escape),
    );
  }

  private unescapeOne(whole: string, escape: string): string {
    const plain = {
      "\n": "",
      "\\": "\\",
      "'": "'",
      '"': '"',
      a: "\x07",
      b: "\b",
      f: "\f",
      n: "\n",
      r: "\r",
      t: "\t",
      v: "\v",
    };
    if (/^[xuU][\da-fA-F]{2,}$/.test(escape)) {
      const code = parseInt(escape.slice(1), 16);
      if (code > 0x10ffff) throw this.error("illegal Unicode character");
      return String.fromCodePoint(code);
    }
    if (/^[0-7]+$/.test(escape)) return String.fromCodePoint(parseInt(escape, 8));
    if (/^[xuU]/.test(escape)) throw this.error(`truncated \\${escape[0]!} escape`);
    if (escape === "N") {
      throw new UnsupportedConstruct("it names a character with \\N in a string", this.line);
    }
    return Object.hasOwn(plain, escape) ? plain[escape as keyof typeof plain] : whole; // just looked up
  }

  private match(pattern: RegExp): string | undefined {
    return this.matchAt(pattern, this.position);
  }

  private matchAt(pattern: RegExp, position: number): string | undefined {
    pattern.lastIndex = position;
    return pattern.exec(this.text)?.[0];
  }

  private take(type: TokenType, source: string, value: string): void {
    this.add(type, value);
    this.advance(this.position + source.length);
  }

  private add(type: TokenType, value: string): void {
    this.tokens.push({ type, value, line: this.line });
  }

  private advance(to: number): void {
    for (let i = this.position; i < to; i++) if (this.text[i] === "\n") this.line++;
    this.atLineStart = to > this.position ? this.text[to - 1] === "\n" : this.atLineStart;
    this.position = to;
  }

  private error(message: string): TemplateSyntaxError {
    return new TemplateSyntaxError(message, this.line);
  }
}
