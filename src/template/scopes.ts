/**
 * @file Which variable a name means. Jinja decides that before it runs a template: a block has the names that are set anywhere in it as
 * its own, and takes from outside what they are before. This file follows `jinja2/idtracking.py` step by step, so that the odd cases come
 * out the same: a macro that reads a name which is set further down, a name that only one branch of an `if` sets, and their kin.
 */
import type {
  Expression,
  ForNode,
  IfNode,
  ParametersNode,
  SetBlockNode,
  FilterBlockNode,
  Statement,
  Target,
  WithNode,
} from "./nodes.ts";

/** Where a variable's first value comes from as its block is entered. */
export type Load =
  | { readonly kind: "parameter" }
  | { readonly kind: "undefined" }
  /** What the rendering was given under this name. */
  | { readonly kind: "resolve"; readonly name: string }
  /** Another variable, further out. */
  | { readonly kind: "alias"; readonly variable: string };

/** The names of one block. */
export class Symbols {
  readonly level: number;
  readonly parent: Symbols | undefined;
  private readonly variables: Map<string, string>;
  readonly loads: Map<string, Load>;
  private readonly stores: Set<string>;

  constructor(parent?: Symbols, copied?: Symbols) {
    this.parent = copied === undefined ? parent : copied.parent;
    this.level = copied?.level ?? (parent === undefined ? 0 : parent.level + 1);
    this.variables = new Map(copied?.variables);
    this.loads = new Map(copied?.loads);
    this.stores = new Set(copied?.stores);
  }

  /** The variable that a name means here; undefined where nothing has named it yet. */
  find(name: string): string | undefined {
    return this.variables.get(name) ?? this.parent?.find(name);
  }

  /** The same for a name that was analysed. */
  variable(name: string): string {
    const variable = this.find(name);
    if (variable === undefined) throw new Error(`internal: the name ${name} was not analysed`);
    return variable;
  }

  /** Whether the template never sets this name. */
  isFromOutside(name: string): boolean {
    const own = this.loads.get(this.variable(name));
    return own === undefined ? (this.parent?.isFromOutside(name) ?? false) : own.kind === "resolve";
  }

  load(name: string): void {
    if (this.find(name) === undefined) this.define(name, { kind: "resolve", name });
  }

  store(name: string): void {
    this.stores.add(name);
    if (this.variables.has(name)) return;
    const outer = this.parent?.find(name);
    this.define(
      name,
      outer === undefined ? { kind: "undefined" } : { kind: "alias", variable: outer },
    );
  }

  parameter(name: string): void {
    this.stores.add(name);
    this.define(name, { kind: "parameter" });
  }

  private define(name: string, load: Load): void {
    const variable = `${this.level} ${name}`;
    this.variables.set(name, variable);
    this.loads.set(variable, load);
  }

  /** Takes over what the branches of an `if` named. What only some of them set keeps its outer value in the others. */
  mergeBranches(branches: readonly Symbols[]): void {
    const stores = new Set(branches.flatMap((branch) => [...branch.stores]));
    for (const name of this.stores) stores.delete(name);
    for (const branch of branches) {
      for (const [name, variable] of branch.variables) this.variables.set(name, variable);
      for (const [variable, load] of branch.loads) this.loads.set(variable, load);
      for (const name of branch.stores) this.stores.add(name);
    }
    for (const name of stores) {
      const outer = this.parent?.find(name);
      this.loads.set(
        this.variable(name),
        outer === undefined ? { kind: "resolve", name } : { kind: "alias", variable: outer },
      );
    }
  }

  addBody(body: readonly Statement[]): void {
    for (const statement of body) addStatement(this, statement);
  }

  addParameters({ params, defaults }: ParametersNode): void {
    for (const { name } of params) this.parameter(name);
    addNames(this, defaults);
  }

  addLoop(node: ForNode, branch: "body" | "test" | "otherwise"): void {
    if (branch !== "otherwise") addTarget(this, node.target, true);
    if (branch === "test") addNames(this, node.test);
    else this.addBody(node[branch]);
  }

  addWith({ targets, body }: WithNode): void {
    for (const target of targets) addTarget(this, target, true);
    this.addBody(body);
  }

  addFilterBlock({ body, filter }: FilterBlockNode): void {
    this.addBody(body);
    addNames(this, filter);
  }

  addSetBlock({ body }: SetBlockNode): void {
    this.addBody(body);
  }
}

/** Names that a statement uses in the block it stands in; not those of blocks of its own. */
function addStatement(symbols: Symbols, node: Statement): void {
  switch (node.type) {
    case "Print":
      return addNames(symbols, node.values);
    case "Set":
      addNames(symbols, node.value);
      return addTarget(symbols, node.target, false);
    case "If":
      return addIf(symbols, node);
    case "For":
      return addNames(symbols, node.iterable);
    case "Macro":
      return symbols.store(node.name);
    case "CallBlock":
      return addNames(symbols, node.call);
    case "FilterBlock":
      return addNames(symbols, node.filter);
    case "With":
      return addNames(symbols, node.values);
    case "SetBlock":
      return addTarget(symbols, node.target, false);
    case "Data":
    case "Generation":
    case "Break":
    case "Continue":
      return undefined;
  }
}

function addIf(symbols: Symbols, node: IfNode): void {
  addNames(symbols, node.test);
  const branches = [node.body, node.elifs, node.otherwise].map((body) => {
    const branch = new Symbols(undefined, symbols);
    branch.addBody(body);
    return branch;
  });
  symbols.mergeBranches(branches);
}

function addTarget(symbols: Symbols, target: Target | Expression, asParameter: boolean): void {
  if (target.type === "Tuple") {
    for (const item of target.items) addTarget(symbols, item, asParameter);
  } else if (target.type === "NamespaceRef") {
    symbols.load(target.name);
  } else if (target.type === "Name") {
    if (asParameter) symbols.parameter(target.name);
    else symbols.store(target.name);
  }
}

function addNames(symbols: Symbols, node: unknown): void {
  for (const { name } of namesIn(node)) symbols.load(name);
}

interface UsedName {
  readonly name: string;
  readonly use: "load" | "store" | "param";
}

/** All names below a node, in the order of its members. */
export function* namesIn(node: unknown): Iterable<UsedName> {
  if (typeof node !== "object" || node === null) return;
  if ("type" in node && (node.type === "Name" || node.type === "NamespaceRef")) {
    const { name, use } = node as unknown as Partial<UsedName>; // nodes of these types have a name
    yield { name: name ?? "", use: use ?? "load" };
    return;
  }
  for (const member of Object.values(node)) yield* namesIn(member);
}

/** Which of these names a macro's body reads before it sets any of them itself. */
export function readNames(
  body: readonly Statement[],
  wanted: readonly string[],
): ReadonlySet<string> {
  const open = new Set(wanted);
  const found = new Set<string>();
  for (const { name, use } of namesIn(body)) {
    if (use !== "load") open.delete(name);
    else if (open.has(name)) found.add(name);
  }
  return found;
}
