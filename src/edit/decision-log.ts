import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";

import { describeWriteError } from "../util/atomic-file.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { lockFileForWriting } from "../util/writer-lock.ts";
import {
  type Decision,
  type DecisionFile,
  decisionLine,
  findDecisions,
  headLine,
  isBlank,
} from "./decisions.ts";

/** A file of decisions that grows; disposing lets others write it. */
export interface DecisionLog extends AsyncDisposable {
  readonly path: string;
  /** The decisions that count, by pair. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** What a crash left behind the last whole line, in bytes; the next decision takes it out, and then it is 0. */
  readonly torn: number;
  /** Appends a decision; when this is done it is on the disk. Gives what stood before. */
  set(decision: Decision): Promise<Decision>;
}

/**
 * Opens the decisions of some pairs, of which there may be none yet: a file is made with the first decision, and from then on no other
 * process may write it. Throws ConfigError where the file is about other pairs, FormatError where it holds something else.
 */
export async function openDecisionLog(path: string, pairs: string): Promise<DecisionLog> {
  const found = await findOwnDecisions(path, pairs);
  let decisions = new Map(found?.decisions);
  let torn = found?.torn ?? 0;
  let file:
    | { readonly handle: FileHandle; readonly lock: AsyncDisposable; size: number }
    | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const openFile = async (): Promise<NonNullable<typeof file>> => {
    const lock = await lockFileForWriting(path);
    try {
      // Another process may have been here since.
      const now = await findOwnDecisions(path, pairs);
      decisions = new Map(now?.decisions);
      const handle = await open(path, "a");
      await handle.truncate(now?.size ?? 0);
      torn = 0;
      const opened = { handle, lock, size: now?.size ?? 0 };
      if (now === undefined) {
        await append(opened, headLine(pairs));
        await syncFolder(path);
      }
      return opened;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  };
  const append = async (to: NonNullable<typeof file>, line: string): Promise<void> => {
    if ((await to.handle.stat()).size !== to.size) {
      throw new RuntimeError(`${path}: another process has changed it`, {
        hint: "End the other one, and start the server again.",
      });
    }
    await to.handle.appendFile(line);
    await to.handle.datasync();
    to.size += Buffer.byteLength(line);
  };
  const write = async (decision: Decision): Promise<Decision> => {
    try {
      file ??= await openFile();
      const before = decisions.get(decision.id) ?? { id: decision.id, decision: null, note: "" };
      await append(file, decisionLine(decision));
      if (isBlank(decision)) decisions.delete(decision.id);
      else decisions.set(decision.id, decision);
      return before;
    } catch (error) {
      // Behind half a line no other may follow: what is there is looked at anew.
      await close();
      throw describeWriteError(path, error);
    }
  };
  const close = async (): Promise<void> => {
    const { handle, lock } = file ?? {};
    file = undefined;
    await handle?.close();
    await lock?.[Symbol.asyncDispose]();
  };
  return {
    path,
    get decisions() {
      return decisions;
    },
    get torn() {
      return torn;
    },
    set: (decision) => {
      const next = queue.then(() => write(decision));
      queue = next.catch(() => {});
      return next;
    },
    [Symbol.asyncDispose]: async () => {
      await queue;
      await close();
    },
  };
}

/** Reads decisions on these pairs; undefined and errors as of findDecisions, and ConfigError where they are on others. */
export async function findOwnDecisions(
  path: string,
  pairs: string,
): Promise<DecisionFile | undefined> {
  const found = await findDecisions(path);
  if (found === undefined || found.pairs === pairs) return found;
  throw new ConfigError(`${path}: expected decisions of these pairs, got those of others`, {
    hint: "Name another file with --decisions.",
  });
}

/** Without it a crash of the machine may lose the name of a new file. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
