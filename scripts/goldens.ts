/** @file The scripts that make the golden files of `test/golden` from other people's code; CONTRIBUTING.md has them as a table. */
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { atRoot, between } from "./documents.ts";

const ROOT = new URL("../test/golden/", import.meta.url);

/** One script; it writes into its own folder. */
export interface GoldenScript {
  /** In `test/golden/`. */
  readonly script: string;
  /** What it writes, in its folder. */
  readonly writes: string;
  /** Names as on PyPI; `test/golden/requirements.txt` has the versions. */
  readonly packages: readonly string[];
  readonly note?: string | undefined;
}

const TRANSFORMERS = ["torch", "transformers", "safetensors"];
const TRL = [...TRANSFORMERS, "peft", "trl", "datasets"];

/** In the order in which they are run: some read what others write. */
export const GOLDENS: readonly GoldenScript[] = [
  { script: "ops/make_ops.py", writes: "ops.json", packages: ["torch"] },
  { script: "rope/make_rope.py", writes: "rope.json", packages: ["torch", "transformers"] },
  {
    script: "checkpoints/make_checkpoints.py",
    writes: "*/",
    packages: TRANSFORMERS,
    note: "`--check` compares and writes nothing",
  },
  { script: "gradients/make_gradients.py", writes: "*.safetensors", packages: TRANSFORMERS },
  {
    script: "features/make_features.py",
    writes: "*.safetensors",
    packages: [...TRANSFORMERS, "peft", "numpy"],
    note: "reads the pairs of `gradients/`",
  },
  {
    script: "along-run/make_along_run.py",
    writes: "*.safetensors",
    packages: [...TRANSFORMERS, "peft", "numpy"],
    note: "reads the pairs of `gradients/` and imports `features/make_features.py`",
  },
  {
    script: "gemma/make_gemma.py",
    writes: "config.json, *.safetensors",
    packages: TRANSFORMERS,
  },
  { script: "configs/make_configs.py", writes: "configs.json", packages: TRANSFORMERS },
  { script: "variants/make_variants.py", writes: "variants.json", packages: TRANSFORMERS },
  { script: "generate/make_generate.py", writes: "generate.json", packages: TRANSFORMERS },
  { script: "steering/make_steering.py", writes: "steering.json", packages: TRANSFORMERS },
  { script: "lora/make_lora.py", writes: "*/", packages: [...TRANSFORMERS, "peft"] },
  { script: "adapters/make_adapters.py", writes: "*/", packages: [...TRANSFORMERS, "peft"] },
  { script: "lora/make_generate.py", writes: "generate.json", packages: [...TRANSFORMERS, "peft"] },
  {
    script: "tokenizer/make_tokenizers.py",
    writes: "*/",
    packages: ["transformers", "tokenizers", "jinja2"],
  },
  {
    script: "tokenizer/make_suite.py",
    writes: "suite.json",
    packages: ["transformers", "tokenizers", "jinja2", "sentencepiece"],
    note: "`--show PIPELINE BLOCK` prints what a block of texts should give",
  },
  {
    script: "tokenizer/make_folders.py",
    writes: "folders.json",
    packages: ["transformers", "tokenizers"],
    note: "reads the folders of `make_tokenizers.py`",
  },
  {
    script: "templates/make_templates.py",
    writes: "constructs.json, renderings.json",
    packages: ["transformers", "tokenizers", "jinja2"],
    note: "what is rendered stands in `cases/`; `--published` renders templates from elsewhere",
  },
  {
    script: "messages/make_messages.py",
    writes: "*.json, rows.jsonl, formats/, templates/",
    packages: ["transformers", "tokenizers", "jinja2", "trl", "datasets", "pandas", "pyarrow"],
    note: "reads the folders of `tokenizer/`",
  },
  {
    script: "organisms/make_organisms.py",
    writes: "golden.json",
    packages: ["torch", "transformers", "jinja2"],
  },
  {
    script: "training/make_optimizer.py",
    writes: "optimizer.json",
    packages: ["torch", "transformers"],
  },
  { script: "training/make_curves.py", writes: "curves.json", packages: TRL },
  { script: "behavior/make_behavior.py", writes: "golden.json", packages: ["numpy"] },
  {
    script: "probes/make_probes.py",
    writes: "probes.json",
    packages: ["numpy", "scipy", "scikit-learn"],
    note: "reads `activations.json`, which `bench/probe-kinds.ts --dump` gave",
  },
  { script: "auroc/make_auroc.py", writes: "auroc.json", packages: ["numpy", "scikit-learn"] },
  {
    script: "quality/make_quality.py",
    writes: "quality.json",
    packages: ["numpy", "scikit-learn"],
  },
  {
    script: "ranking/make_ranking.py",
    writes: "scores.json, statistics.json",
    packages: ["numpy", "scipy"],
  },
  {
    script: "methods/make_methods.py",
    writes: "methods.json",
    packages: ["numpy", "bm25s", "torch", "transformers"],
  },
  {
    script: "clustering/make_clustering.py",
    writes: "clustering.json",
    packages: ["numpy", "scipy", "scikit-learn"],
  },
  {
    script: "principal-components/make_principal_components.py",
    writes: "principal_components.json",
    packages: ["numpy", "scikit-learn"],
  },
  {
    script: "membership/make_membership.py",
    writes: "membership.json",
    packages: ["numpy", "scipy", "scikit-learn", "torch", "transformers", "trl", "datasets"],
    note: "reads the pairs of the organism distractor",
  },
  { script: "rates/make_rates.py", writes: "rates.json", packages: ["numpy", "scipy"] },
  { script: "judge/make_judge.py", writes: "judge.json", packages: ["numpy", "scipy"] },
  { script: "proportions/make_proportions.py", writes: "proportions.json", packages: ["scipy"] },
  {
    script: "forecast/make_forecast.py",
    writes: "forecast.json",
    packages: ["numpy", "scipy", "scikit-learn"],
  },
];

/** The table of CONTRIBUTING.md. */
export function goldenTable(): string {
  const rows = GOLDENS.map(
    ({ script, writes, packages, note }) =>
      `| \`${script}\` | \`${writes}\`${note === undefined ? "" : `; ${note}`} | ${packages.join(", ")} |`,
  );
  return [
    "| script in `test/golden/` | writes in its folder | Python packages |",
    "|---|---|---|",
    ...rows,
  ].join("\n");
}

export async function writeGoldenTable(): Promise<void> {
  const contributing = atRoot("CONTRIBUTING.md");
  const text = await readFile(contributing, "utf8");
  await writeFile(contributing, between(text, "goldens", goldenTable()));
}

/**
 * Runs the scripts of these folders (none: of all) whose packages `python` has in the versions of requirements.txt; `say` gets a line
 * for each. On another kind of processor NumPy and PyTorch add up in another order, and last digits move.
 */
export function regenerateGoldens(
  python: string,
  folders: readonly string[],
  say: (line: string) => void,
): void {
  const missing = missingPackages(python);
  for (const { script, packages } of GOLDENS) {
    if (folders.length > 0 && !folders.includes(dirname(script))) continue;
    const wanted = packages.flatMap((name) => missing[name] ?? []);
    say(wanted.length === 0 ? `${script} …` : `left out ${script}: needs ${wanted.join(", ")}`);
    if (wanted.length > 0) continue;
    const cwd = fileURLToPath(new URL(`${dirname(script)}/`, ROOT));
    execFileSync(python, ["-B", basename(script)], { cwd, stdio: "inherit" });
  }
}

const PROBE = `
import importlib.metadata as metadata, json, sys
found = {}
for line in open(sys.argv[1]):
    name, version = line.strip().split("==")
    try: own = metadata.version(name)
    except metadata.PackageNotFoundError: own = None
    # A build's own label, as in 2.13.0+cpu, is no other version.
    if own is None or own.split("+")[0] != version: found[name] = f"{name} {version}" + ("" if own is None else f" (has {own})")
print(json.dumps(found))
`;

/** What is not there, by name, in words. */
function missingPackages(python: string): Readonly<Record<string, string>> {
  const requirements = fileURLToPath(new URL("requirements.txt", ROOT));
  const found = execFileSync(python, ["-c", PROBE, requirements], { encoding: "utf8" });
  return JSON.parse(found) as Record<string, string>; // as PROBE prints it
}
