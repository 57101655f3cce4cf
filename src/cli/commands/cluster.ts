import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";

import { makeEnvironment } from "../../cluster/python-environment.ts";
import { ownToken, startHead } from "../../cluster/start-head.ts";
import { ConfigError, RuntimeError } from "../../util/errors.ts";
import { makeFolder } from "../../util/make-folder.ts";
import { checkCluster } from "../../verbs/doctor/check-cluster.ts";
import { formatFindings } from "../../verbs/doctor/finding.ts";
import { expectFlagsOfWay } from "../arguments.ts";
import { asJson, type Command, type CommandContext, type ParsedArguments } from "../command.ts";

export const clusterCommand: Command = {
  name: "cluster",
  summary: "Whether a Ray cluster would do for a run, or a trial cluster on this machine",
  positionals: "check ADDRESS | up",
  description: `
check asks the cluster whose dashboard is at ADDRESS, http://HOST:8265 say, runs one tiny job there, and prints a line for each
thing that a run needs, with what to mend. The exit status is 1 where there is a fault. The token is that of RAY_AUTH_TOKEN or of
the file that RAY_AUTH_TOKEN_PATH names.

up makes a Python environment with Ray and PyTorch in DIR (Python 3.10 or newer, once, up to some gigabytes), starts a head on
this machine and prints the line for an experiment file. It stays until Ctrl-C, which ends that head and nothing else. Ray's ports
but the dashboard's listen on every interface; what reaches them needs the token of DIR/token. docs/cluster.md says more.

  culprit cluster up --dir ~/culprit-cluster
  culprit cluster check http://127.0.0.1:8265 --storage ~/culprit-cluster/storage`,
  flags: {
    storage: {
      type: "string",
      value: "DIR",
      describe: "check: a folder to be tried from every node, absolute. Default: not tried.",
    },
    dir: {
      type: "string",
      value: "DIR",
      describe: "up: the folder for environment, token and storage. Default: culprit-cluster.",
    },
    python: {
      type: "string",
      value: "PROGRAM",
      describe: "up: the Python that the environment is made with. Default: python3.",
    },
    port: {
      type: "string",
      value: "N",
      describe: "up: the dashboard's port, where jobs are submitted. Default: 8265.",
    },
    "node-port": {
      type: "string",
      value: "N",
      describe: "up: the port where further nodes join. Default: 6379.",
    },
    cpus: {
      type: "string",
      value: "N",
      describe: "up: processors that workers may use. Default: all of this machine.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const [what, address, ...more] = args.positionals;
  const isCheck = what === "check" && address !== undefined && more.length === 0;
  const isUp = what === "up" && address === undefined;
  if (!isCheck && !isUp) {
    throw new ConfigError(
      `cluster: expected check ADDRESS or up, got ${args.positionals.join(" ") || "none"}`,
      {
        hint: "culprit cluster --help shows an example.",
      },
    );
  }
  expectFlagsOfWay(args, [
    { name: "check", isOn: isCheck, flags: ["storage"] },
    { name: "up", isOn: isUp, flags: ["dir", "python", "port", "node-port", "cpus"] },
  ]);
  if (isCheck) await check(address, args, context);
  else await up(args, context);
}

async function check(
  address: string,
  args: ParsedArguments,
  context: CommandContext,
): Promise<void> {
  const given = args.text("storage");
  const storage = given === undefined ? undefined : resolve(given);
  const findings = await checkCluster(address, { storage, signal: context.signal });
  context.print(args.has("json") ? asJson({ findings }) : formatFindings(findings));
  const faults = findings.filter(({ status }) => status === "fault");
  if (faults.length === 0) return;
  throw new RuntimeError(`cluster: faults: ${faults.map((each) => each.check).join(", ")}`, {
    hint: "What to do stands under each.",
  });
}

async function up(args: ParsedArguments, { log, print, signal }: CommandContext): Promise<void> {
  const dir = resolve(args.text("dir") ?? "culprit-cluster");
  const port = readPort(args, "port", 8265);
  const nodePort = readPort(args, "node-port", 6379);
  const cpus = readCount(args, "cpus", availableParallelism());
  const [environment, storage, tokenPath] = [
    join(dir, "venv"),
    join(dir, "storage"),
    join(dir, "token"),
  ];
  await makeFolder(storage);
  await makeEnvironment(environment, {
    python: args.text("python") ?? "python3",
    note: log,
    signal,
  });
  const token = await ownToken(tokenPath);
  log("starting a head …");
  await using head = await startHead({ environment, token, port, nodePort, cpus, signal });
  const line = `engine: { kind: ray, address: "${head.address}", storage: ${JSON.stringify(storage)} }`;
  if (args.has("json")) print(asJson({ address: head.address, storage, tokenPath, pid: head.pid }));
  else {
    print(
      [
        `${head.address} runs with ${cpus} CPUs until Ctrl-C. In the shell of a run:`,
        `  export RAY_AUTH_TOKEN_PATH=${tokenPath}`,
        "In its experiment file:",
        `  ${line}`,
      ].join("\n"),
    );
  }
  const stopped = new Promise<undefined>((done) => {
    signal.addEventListener("abort", () => done(undefined), { once: true });
  });
  const output = await Promise.race([head.ended, stopped]);
  if (output === undefined) return;
  throw new RuntimeError(`cluster: the head ended by itself: ${output.trim().slice(-1000)}`);
}

const readPort = (args: ParsedArguments, flag: string, otherwise: number): number =>
  readWhole(args, flag, otherwise, 65_535);
const readCount = (args: ParsedArguments, flag: string, otherwise: number): number =>
  readWhole(args, flag, otherwise, 4096);

function readWhole(args: ParsedArguments, flag: string, otherwise: number, most: number): number {
  const text = args.text(flag);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new ConfigError(`--${flag}: expected a whole number from 1 to ${most}, got "${text}"`);
}
