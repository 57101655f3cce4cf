/**
 * @file The folders of `src/` in their order: a folder imports only from itself and from those above it in this list. The linter's rules,
 * the table of CONTRIBUTING.md and the picture of docs/architecture.md follow it (`npm run regenerate`, test/rooms.test.ts).
 */

/** One folder of `src/`. */
export interface Room {
  readonly name: string;
  /** What it holds, as one line. */
  readonly holds: string;
}

export const ROOMS: readonly Room[] = [
  { name: "util", holds: "small generic things: errors, rng, hashing, atomic files" },
  { name: "stats", holds: "estimators and intervals over plain numbers" },
  {
    name: "clustering",
    holds: "trees of items by their distances: linkage, leaf order, cuts, how sure they are",
  },
  { name: "hub", holds: "`hf://` downloads into the standard cache" },
  { name: "format", holds: "bytes and plain data: safetensors, ONNX protobuf, messages" },
  {
    name: "template",
    holds: "chat templates: Jinja as transformers sets it up, with the values of Python",
  },
  {
    name: "endpoint",
    holds: "OpenAI-compatible endpoints: requests, retries, limits, paid answers",
  },
  { name: "cluster", holds: "a Ray cluster: its Jobs API, the worker package, a head of its own" },
  { name: "tensor", holds: "the graph, its ops with their gradients, the lowering to ONNX" },
  { name: "runtime", holds: "the only importer of onnxruntime-node" },
  {
    name: "model",
    holds: "config and weights, one file for each family, tokenizer, template, adapters",
  },
  {
    name: "engine",
    holds: "what can be done with a checkpoint, as an interface, and the local engine",
  },
  {
    name: "pairs",
    holds: "preference pairs and response pairs: readers, writers, shapes, ids, audit",
  },
  { name: "store", holds: "the vector store" },
  {
    name: "training",
    holds: "preference pairs into the engine's trainer: steps, metrics, states, resume",
  },
  { name: "rollouts", holds: "scenarios, sampled responses and their files" },
  { name: "judge", holds: "judges of rollouts, one interface; verdict files" },
  {
    name: "behavior",
    holds: "behaviour vectors and probes, nuisance directions, the layer choice",
  },
  {
    name: "rates",
    holds: "conditions, the four-condition filter, arms, rates corrected for the judge",
  },
  { name: "attribution", holds: "attribution methods: from pairs and a behaviour to scores" },
  { name: "ranking", holds: "ranking file, report, nulls, verdict, lifts, quality" },
  {
    name: "membership",
    holds: "whether pairs belong to a checkpoint, against held-out ones",
  },
  {
    name: "discovery",
    holds: "what training changed, found without labels: prompts clustered, held to the pairs",
  },
  {
    name: "forecast",
    holds: "how far training will move each behaviour, said before it, and scored after it",
  },
  { name: "steering", holds: "steering with a behaviour vector, beside random directions" },
  { name: "edit", holds: "choosing and applying edits of a data set" },
  { name: "runs", holds: "what a run leaves in its folder: run.json, stage.json, result.json" },
  { name: "report", holds: "a run as data for the page, and the page's files" },
  { name: "serve", holds: "a run's pages and its JSON API on the loopback" },
  { name: "verbs", holds: "every verb declared once: settings, inputs, outputs, run, show" },
  { name: "experiment", holds: "the experiment file, its stages, the content-addressed cache" },
  { name: "cli", holds: "commands: flags, help, tables, the terminal" },
];
