import { type Frame, compileExpression } from "./compile-expression.ts";
import { compileTarget } from "./compile-target.ts";
import { LoopContext } from "./loop-context.ts";
import type { ForNode } from "./nodes.ts";
import { TemplateSyntaxError } from "./python-error.ts";
import { Activation, Output } from "./rendering.ts";
import { Symbols, namesIn } from "./scopes.ts";
import type { CompileBody, Signal, Step } from "./step.ts";
import { Lazy, type Value, isTrue, iterate } from "./values.ts";

/** One walk over a loop's items, as far as they go. */
type Rounds = (run: Activation, out: Output, loop: LoopContext) => Signal;

export function compileFor(node: ForNode, frame: Frame, compileBody: CompileBody): Step {
  for (const { name, use } of namesIn(node)) {
    if (use === "store" && name === "loop") {
      throw new TemplateSyntaxError(
        "Can't assign to special loop variable in for-loop target",
        node.line,
      );
    }
  }
  const rounds = compileRounds(node, frame, compileBody);
  const iterable = compileExpression(node.iterable, frame);
  const filter = compileLoopFilter(node, frame);
  if (!node.recursive) {
    return (run, out) => rounds(run, out, new LoopContext(filter(run, iterable(run))));
  }
  const render = (outer: Activation, value: Value, depth: number): string =>
    outer.rendering.nested(() => {
      const run = new Activation(outer.rendering, outer);
      const out = new Output(outer.rendering);
      const recurse = (inner: Value, level: number): Value => render(outer, inner, level);
      rounds(run, out, new LoopContext(filter(run, value), depth, recurse));
      return out.text;
    });
  return (run, out) => {
    out.push(render(run, iterable(run), 0));
    return undefined;
  };
}

function compileRounds(node: ForNode, frame: Frame, compileBody: CompileBody): Rounds {
  const inner = { symbols: new Symbols(frame.symbols), isSoft: false, inLoop: true };
  inner.symbols.parameter("loop");
  inner.symbols.addLoop(node, "body");
  const loopVariable = inner.symbols.variable("loop");
  const target = compileTarget(node.target, inner);
  const body = compileBody(node.body, inner);
  const otherwise = compileElse(node, frame, compileBody);
  return (run, out, loop) => {
    let hasFinishedRound = false;
    for (let item = loop.advance(); item !== undefined; item = loop.advance()) {
      run.rendering.countRound();
      target.store(run, item);
      run.set(loopVariable, loop);
      run.enter(inner.symbols);
      const signal = body(run, out);
      if (signal === "break") break;
      // As Jinja compiles it, a round that was left early does not keep the else branch away.
      if (signal === undefined) hasFinishedRound = true;
    }
    run.leave(inner.symbols);
    return hasFinishedRound ? undefined : otherwise(run, out);
  };
}

function compileElse(node: ForNode, frame: Frame, compileBody: CompileBody): Step {
  if (node.otherwise.length === 0) return () => undefined;
  const inner = {
    symbols: new Symbols(frame.symbols),
    isSoft: false,
    inLoop: frame.inLoop && !node.recursive,
  };
  inner.symbols.addLoop(node, "otherwise");
  const body = compileBody(node.otherwise, inner);
  return (run, out) => {
    run.enter(inner.symbols);
    const signal = body(run, out);
    if (signal === undefined) run.leave(inner.symbols);
    return signal;
  };
}

/** `for … if test`: the items for which the test holds, each tested only when the loop comes to it. */
function compileLoopFilter(node: ForNode, frame: Frame): (run: Activation, value: Value) => Value {
  if (node.test === undefined) return (_, value) => value;
  const inner = { symbols: new Symbols(frame.symbols), isSoft: false, inLoop: false };
  inner.symbols.addLoop(node, "test");
  const target = compileTarget(node.target, inner);
  const test = compileExpression(node.test, inner);
  return (outer, value) => {
    const items = iterate(value);
    function* kept(): Iterable<Value> {
      const run = new Activation(outer.rendering, outer);
      run.enter(inner.symbols);
      for (const item of items) {
        target.store(run, item);
        if (isTrue(test(run))) yield item;
      }
    }
    return new Lazy(kept());
  };
}
