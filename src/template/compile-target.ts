import type { Frame } from "./compile-expression.ts";
import type { Expression, Target } from "./nodes.ts";
import { PythonError, valueError } from "./python-error.ts";
import type { Activation } from "./rendering.ts";
import { namesIn } from "./scopes.ts";
import { Namespace, type Value, iterate } from "./values.ts";

/** What stands left of `=`. */
export interface Assign {
  /** Throws where the target is an attribute of something else than a namespace; before the value is computed. */
  check(run: Activation): void;
  store(run: Activation, value: Value): void;
}

export function compileTarget(target: Target, { symbols }: Frame): Assign {
  const refs = namespaceRefs(target).map((name) => symbols.variable(name));
  return {
    check: (run) => {
      if (refs.every((variable) => run.get(variable) instanceof Namespace)) return;
      throw new PythonError("RuntimeError", "cannot assign attribute on non-namespace object");
    },
    store: compileStore(target, (name) => symbols.variable(name)),
  };
}

function namespaceRefs(target: Expression): string[] {
  if (target.type === "Tuple") return target.items.flatMap(namespaceRefs);
  return target.type === "NamespaceRef" ? [...namesIn(target)].map(({ name }) => name) : [];
}

function compileStore(target: Expression, variableOf: (name: string) => string): Assign["store"] {
  if (target.type === "Name") {
    const variable = variableOf(target.name);
    return (run, value) => run.set(variable, value);
  }
  if (target.type === "NamespaceRef") {
    const variable = variableOf(target.name);
    return (run, value) => {
      const namespace = run.get(variable);
      if (namespace instanceof Namespace) namespace.set(target.attribute, value);
    };
  }
  if (target.type !== "Tuple") throw new Error(`internal: ${target.type} as a target`);
  const parts = target.items.map((item) => compileStore(item, variableOf));
  return (run, value) => {
    const items = [...iterate(value)];
    if (items.length !== parts.length) {
      const few = items.length < parts.length;
      throw valueError(
        few
          ? `not enough values to unpack (expected ${parts.length}, got ${items.length})`
          : `too many values to unpack (expected ${parts.length})`,
      );
    }
    for (const [i, part] of parts.entries()) part(run, items[i]!);
  };
}
