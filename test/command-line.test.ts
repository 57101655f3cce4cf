/** What holds for every command of the built program. */
import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, it } from "vitest";

import { COMMON_FLAGS } from "../src/cli/arguments.ts";
import { COMMANDS } from "../src/cli/commands/index.ts";
import { commandHelp } from "../src/cli/help.ts";
import { runCli } from "./support/run-cli.ts";

/** Text as a regular expression that matches it alone. */
const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Flags that only one command cannot do without. */
const REQUIRED_BY_ONE: Readonly<Record<string, readonly string[]>> = {
  agreement: ["labels"],
  edit: ["action", "top"],
  steer: ["mode"],
  train: ["learning-rate"],
};

let overview = "";

beforeAll(async () => {
  overview = (await runCli(["--help"])).stdout;
});

describe("culprit", () => {
  it("lists its commands, each with one line", () => {
    const listed = [...overview.matchAll(/^ {2}(\w+) {2,}(\S.*)$/gm)].map(([, name, line]) => [
      name,
      line,
    ]);
    expect(listed).toEqual(
      expect.arrayContaining(COMMANDS.map(({ name, summary }) => [name, summary])),
    );
    expect(overview).toMatch(/Exit status: 0 done, 1 failed, 2 bad usage or input/);
  });

  it("without a command shows the same list and exits 2", async () => {
    expect(await runCli([])).toMatchObject({ code: 2, stdout: overview, stderr: "" });
  });

  it("prints its version", async () => {
    const { version } = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.url), "utf8"),
    ) as { version: string };
    expect(await runCli(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it("suggests the nearest command", async () => {
    const result = await runCli(["embd", "x"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toBe(
      'culprit: unknown command "embd"\n  Did you mean embed? culprit --help lists the commands.\n',
    );
  });

  it("shows a stack only when asked for it", async () => {
    const words = ["embed", "x.jsonl", "--layers", "1", "--out", "x"];
    const short = await runCli(words);
    expect(short).toMatchObject({ code: 2, stdout: "" });
    expect(short.stderr).toMatch(
      /^culprit: embed: --checkpoint is missing\n {2}culprit embed --help/,
    );
    expect(short.stderr).not.toMatch(/\n {4}at /);
    expect((await runCli([...words, "--debug"])).stderr).toMatch(/\n {4}at /);
  });

  it("shows a command's help page, whatever else is given", async () => {
    const embed = COMMANDS.find(({ name }) => name === "embed")!;
    const shown = await runCli(["embed", "x.jsonl", "--layers", "--help"]);
    expect(shown).toMatchObject({ code: 0, stdout: commandHelp(embed), stderr: "" });
  });
});

describe.each(COMMANDS)("culprit $name --help", (command) => {
  it("explains every flag, and says a default for each that can be left out", () => {
    const help = commandHelp(command);
    expect(help).toContain(`Usage: culprit ${command.name} `);
    expect(help).toMatch(new RegExp(`^ +culprit ${command.name} `, "m"));
    for (const flag of Object.keys(COMMON_FLAGS)) expect(help).toContain(`--${flag}`);
    const flags = Object.entries(command.flags);
    for (const [name, flag] of flags) {
      const value = flag.type === "string" ? ` ${flag.value}` : "";
      expect(help).toMatch(new RegExp(`^ +(-\\w, )?--${name}${escaped(value)} `, "m"));
      expect(flag.describe).toMatch(/\.$/);
    }
    const required = [
      "checkpoint",
      "layers",
      "out",
      "behavior",
      "responses",
      "before-verdicts",
      "after-verdicts",
      "rules",
      "planted",
      ...(REQUIRED_BY_ONE[command.name] ?? []),
    ];
    const optional = flags.filter(
      ([name, { type }]) => type === "string" && !required.includes(name),
    );
    for (const [name, { describe: text }] of optional)
      expect(text, `--${name}`).toMatch(/default|required|see culprit/i);
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(130);
  });
});
