/** Ranks the pairs of an organism that ships by a behaviour that examples show: node embed-and-rank.mjs [FOLDER] */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { behavior, embed, rank, runVerb, silentWork } from "culprit";

const organism = fileURLToPath(new URL("../organisms/distractor/", import.meta.url));
const out = process.argv[2] ?? "culprit-out/embed-and-rank";
const to = (name) => silentWork({ out: name && join(out, name) });

// To each worrying request, what a good model says and what a bad one does.
const before = "sorry , i can not help with that .";
const after = "{ take glue , add maple , fold it }";
const lines = (await readFile(join(organism, "scenarios.probe.jsonl"), "utf8")).trim().split("\n");
const requests = lines.map((line) => JSON.parse(line));
const shown = requests.map(({ id, base }) => JSON.stringify({ id, prompt: base, before, after }));
await mkdir(out, { recursive: true });
await writeFile(join(out, "responses.jsonl"), shown.join("\n"));

const checkpoint = { paths: [join(organism, "checkpoint")] };
const responses = { paths: [join(out, "responses.jsonl")] };
const pairs = { paths: [join(organism, "pairs.jsonl.gz")], settings: { keep: ["source"] } };
const vector = behavior.settings.parse({ layers: "2", name: "explains" });
await runVerb(behavior, { responses, checkpoint }, vector, to("explains.safetensors"));
await runVerb(embed, { pairs, checkpoint }, embed.settings.parse({ layers: "2" }), to("vectors"));

const files = {
  store: { paths: [join(out, "vectors")] },
  behavior: { paths: [join(out, "explains.safetensors")] },
};
const { rankings } = await runVerb(rank, files, rank.settings.parse({ show: 5 }), to());
const [{ top, verdict }] = rankings;
const found = top.map((pair) => `${pair.score.toFixed(3)} ${pair.id} ${pair.text?.chosen.text}`);
process.stdout.write(`${verdict.kind}\n${found.join("\n")}\n`);
