import { NO_KEYWORDS } from "./arguments.ts";
/** @file From statements to functions that print, in the manner of Jinja's own compiler. */
import {
  type Evaluate,
  type Frame,
  compileCall,
  compileExpression,
  compileFilter,
} from "./compile-expression.ts";
import { compileFor } from "./compile-loop.ts";
import { compileMacro } from "./compile-macro.ts";
import { compileTarget } from "./compile-target.ts";
import type {
  FilterBlockNode,
  IfNode,
  SetBlockNode,
  Statement,
  TemplateNode,
  WithNode,
} from "./nodes.ts";
import { toText } from "./print.ts";
import { TemplateSyntaxError } from "./python-error.ts";
import { Activation, Output, type Rendering } from "./rendering.ts";
import { Symbols } from "./scopes.ts";
import type { CompileBody, Signal, Step } from "./step.ts";
import { isTrue } from "./values.ts";

/** A template as a function of what it is given. */
export function compileRoot(template: TemplateNode): (rendering: Rendering) => string {
  const symbols = new Symbols();
  symbols.addBody(template.body);
  const body = compileBody(template.body, { symbols, isSoft: false, inLoop: false });
  return (rendering) => {
    const run = new Activation(rendering);
    const out = new Output(rendering);
    run.enter(symbols);
    body(run, out);
    return out.text;
  };
}

const compileBody: CompileBody = (statements, frame) => {
  const steps = statements.map((statement) => {
    const step = compileStatement(statement, frame);
    const { line } = statement;
    return (run: Activation, out: Output): Signal => {
      run.rendering.line = line;
      return step(run, out);
    };
  });
  return (run, out) => {
    for (const step of steps) {
      const signal = step(run, out);
      if (signal !== undefined) return signal;
    }
    return undefined;
  };
};

function compileStatement(node: Statement, frame: Frame): Step {
  switch (node.type) {
    case "Data":
      return printing(() => node.text);
    case "Print": {
      const values = node.values.map((value) => compileExpression(value, frame));
      return (run, out) => {
        for (const value of values) out.push(toText(value(run)));
        return undefined;
      };
    }
    case "Set": {
      const value = compileExpression(node.value, frame);
      const assign = compileTarget(node.target, frame);
      return (run) => {
        assign.check(run);
        assign.store(run, value(run));
        return undefined;
      };
    }
    case "SetBlock":
      return compileSetBlock(node, frame);
    case "If":
      return compileIf(node, frame);
    case "For":
      return compileFor(node, frame, compileBody);
    case "Macro": {
      const macro = compileMacro(node, node.name, frame, compileBody);
      const variable = frame.symbols.variable(node.name);
      return (run) => {
        run.set(variable, macro(run));
        return undefined;
      };
    }
    case "CallBlock": {
      const caller = compileMacro(node, undefined, frame, compileBody);
      const extra = (run: Activation): [string, ReturnType<typeof caller>][] => [
        ["caller", caller(run)],
      ];
      return printing(asText(compileCall(node.call.callee, node.call.given, frame, extra)));
    }
    case "Generation": {
      const body = compileMacro(node, undefined, frame, compileBody);
      return printing((run) => toText(body(run).call([], NO_KEYWORDS)));
    }
    case "FilterBlock":
      return compileFilterBlock(node, frame);
    case "With":
      return compileWith(node, frame);
    case "Break":
    case "Continue": {
      const signal = node.type === "Break" ? "break" : "continue";
      if (!frame.inLoop) throw new TemplateSyntaxError(`'${signal}' outside loop`, node.line);
      return () => signal;
    }
  }
}

function printing(text: (run: Activation) => string): Step {
  return (run, out) => {
    out.push(text(run));
    return undefined;
  };
}

function asText(value: Evaluate): (run: Activation) => string {
  return (run) => toText(value(run));
}

function compileIf(node: IfNode, frame: Frame): Step {
  const soft = { ...frame, isSoft: true };
  const branches = [node, ...node.elifs].map(({ test, body }) => ({
    test: compileExpression(test, soft),
    body: compileBody(body, soft),
  }));
  const otherwise = compileBody(node.otherwise, soft);
  return (run, out) => {
    const branch = branches.find(({ test }) => isTrue(test(run)));
    return (branch?.body ?? otherwise)(run, out);
  };
}

function innerFrame(frame: Frame): Frame {
  return { ...frame, symbols: new Symbols(frame.symbols), isSoft: false };
}

function compileSetBlock(node: SetBlockNode, frame: Frame): Step {
  const inner = innerFrame(frame);
  inner.symbols.addSetBlock(node);
  const body = compileBody(node.body, inner);
  const filter = node.filter === undefined ? undefined : compileFilter(node.filter, inner);
  const assign = compileTarget(node.target, frame);
  return captured(inner, body, (run, text) => {
    assign.check(run);
    assign.store(run, filter === undefined ? text : filter(run, text));
  });
}

function compileFilterBlock(node: FilterBlockNode, frame: Frame): Step {
  const inner = innerFrame(frame);
  inner.symbols.addFilterBlock(node);
  const filter = compileFilter(node.filter, inner);
  return captured(inner, compileBody(node.body, inner), (run, text, out) => {
    out.push(toText(filter(run, text)));
  });
}

/** Runs a body for its text. A `break` inside throws the text away. */
function captured(
  { symbols }: Frame,
  body: Step,
  use: (run: Activation, text: string, out: Output) => void,
): Step {
  return (run, out) => {
    run.enter(symbols);
    const buffer = new Output(run.rendering);
    const signal = body(run, buffer);
    if (signal !== undefined) return signal;
    use(run, buffer.text, out);
    run.leave(symbols);
    return undefined;
  };
}

function compileWith(node: WithNode, frame: Frame): Step {
  const inner = innerFrame(frame);
  inner.symbols.addWith(node);
  const values = node.values.map((value) => compileExpression(value, frame));
  const targets = node.targets.map((target) => compileTarget(target, inner));
  const body = compileBody(node.body, inner);
  return (run, out) => {
    run.enter(inner.symbols);
    for (const [i, target] of targets.entries()) target.store(run, values[i]!(run));
    const signal = body(run, out);
    if (signal === undefined) run.leave(inner.symbols);
    return signal;
  };
}
