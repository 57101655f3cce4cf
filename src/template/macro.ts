import { Dict } from "./dict.ts";
import { typeError } from "./python-error.ts";
import { type Keywords, MISSING, Thing, Tuple, Undefined, type Value } from "./values.ts";

/** What a macro's head and body say about its arguments. */
export interface MacroShape {
  /** Undefined for the body of a call block. */
  readonly name: string | undefined;
  readonly params: readonly string[];
  readonly usesCaller: boolean;
  readonly usesKeywords: boolean;
  readonly usesMoreArgs: boolean;
}

/** `{% macro %}`, and the body of `{% call %}` as `caller`. */
export class Macro extends Thing {
  readonly typeName = "Macro";
  private readonly shape: MacroShape;
  private readonly run: (values: readonly (Value | typeof MISSING)[]) => string;

  /** `run` takes the parameters, then caller, kwargs and varargs as far as the macro uses them. */
  constructor(shape: MacroShape, run: (values: readonly (Value | typeof MISSING)[]) => string) {
    super();
    [this.shape, this.run] = [shape, run];
  }

  override repr(): string {
    const { name } = this.shape;
    return `<Macro ${name === undefined ? "anonymous" : `'${name}'`}>`;
  }

  override attribute(name: string): Value | undefined {
    const { shape } = this;
    const attributes = new Map<string, Value>([
      ["name", shape.name ?? null],
      ["arguments", new Tuple([...shape.params])],
      ["catch_kwargs", shape.usesKeywords],
      ["catch_varargs", shape.usesMoreArgs],
      ["caller", shape.usesCaller],
      ["explicit_caller", shape.params.includes("caller")],
    ]);
    return attributes.get(name);
  }

  override call(args: readonly Value[], keywords: Keywords): Value {
    const { params, usesCaller, usesKeywords, usesMoreArgs } = this.shape;
    const rest = new Map(keywords);
    const values: (Value | typeof MISSING)[] = args.slice(0, params.length);
    let hasCaller = values.length === params.length && params.includes("caller");
    for (const name of params.slice(values.length)) {
      const value = rest.get(name);
      rest.delete(name);
      values.push(value === undefined ? MISSING : value);
      hasCaller ||= name === "caller";
    }
    if (usesCaller && !hasCaller) {
      values.push(rest.get("caller") ?? new Undefined("No caller defined"));
      rest.delete("caller");
    }
    if (usesKeywords) values.push(new Dict(rest));
    else this.refuseKeywords(rest);
    if (usesMoreArgs) values.push(new Tuple(args.slice(params.length)));
    else if (args.length > params.length) {
      throw typeError(
        `macro '${this.shape.name}' takes not more than ${params.length} argument(s)`,
      );
    }
    return this.run(values);
  }

  private refuseKeywords(rest: Keywords): void {
    const [first] = rest.keys();
    if (first === undefined) return;
    throw typeError(`macro '${this.shape.name}' takes no keyword argument '${first}'`);
  }
}
