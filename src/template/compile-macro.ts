import { type Frame, compileExpression } from "./compile-expression.ts";
import { Macro } from "./macro.ts";
import type { CallBlockNode, GenerationNode, MacroNode } from "./nodes.ts";
import { TemplateSyntaxError } from "./python-error.ts";
import { Activation, Output } from "./rendering.ts";
import { Symbols, readNames } from "./scopes.ts";
import type { CompileBody } from "./step.ts";
import { MISSING, Undefined } from "./values.ts";

/** A macro, or the body of a call block as one; it is made anew each time that its definition runs. */
export function compileMacro(
  node: MacroNode | CallBlockNode | GenerationNode,
  name: string | undefined,
  frame: Frame,
  compileBody: CompileBody,
): (run: Activation) => Macro {
  const symbols = new Symbols(frame.symbols);
  symbols.addParameters(node);
  symbols.addBody(node.body);
  const params = node.params.map((param) => param.name);
  const special = specialParameters(node, params);
  const variables = params.map((param) => symbols.variable(param));
  for (const each of special.added) {
    symbols.parameter(each);
    variables.push(symbols.variable(each));
  }
  const inner = { symbols, isSoft: false, inLoop: false };
  const defaults = node.defaults.map((value) => compileExpression(value, inner));
  const body = compileBody(node.body, inner);
  const firstDefault = params.length - defaults.length;

  const shape = { name, params, ...special };
  return (outer) =>
    new Macro(shape, (values) =>
      outer.rendering.nested(() => {
        const run = new Activation(outer.rendering, outer);
        for (const [i, variable] of variables.entries()) run.set(variable, values[i]!);
        run.enter(symbols);
        for (const [i, param] of params.entries()) {
          if (run.get(variables[i]!) !== MISSING) continue;
          const value = defaults[i - firstDefault]?.(run);
          const reason = `parameter '${param}' was not provided`;
          run.set(variables[i]!, value === undefined ? new Undefined(reason) : value);
        }
        const out = new Output(outer.rendering);
        body(run, out);
        return out.text;
      }),
    );
}

interface SpecialParameters {
  readonly usesCaller: boolean;
  readonly usesKeywords: boolean;
  readonly usesMoreArgs: boolean;
  /** Those that stand behind the macro's own. */
  readonly added: readonly string[];
}

/** Which of caller, kwargs and varargs the body reads without having them from elsewhere. */
function specialParameters(
  node: MacroNode | CallBlockNode | GenerationNode,
  params: readonly string[],
): SpecialParameters {
  const read = readNames(node.body, ["caller", "kwargs", "varargs"]);
  const callerIndex = params.indexOf("caller");
  if (
    read.has("caller") &&
    callerIndex >= 0 &&
    callerIndex < params.length - node.defaults.length
  ) {
    throw new TemplateSyntaxError(
      'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
      node.line,
    );
  }
  const usesKeywords = read.has("kwargs") && !params.includes("kwargs");
  const usesMoreArgs = read.has("varargs") && !params.includes("varargs");
  const added = [
    ...(read.has("caller") && callerIndex < 0 ? ["caller"] : []),
    ...(usesKeywords ? ["kwargs"] : []),
    ...(usesMoreArgs ? ["varargs"] : []),
  ];
  return { usesCaller: read.has("caller"), usesKeywords, usesMoreArgs, added };
}
