/**
 * @file Sessions of this process, one for each way of running checkpoints: starting one takes ten seconds or so, which engines that are
 * opened one after another need not pay each. One that nobody uses is kept a while and then gives its workers back.
 */
import { hashValue } from "../../util/hash.ts";
import type { RaySettings } from "./ray-options.ts";
import { RaySession } from "./ray-session.ts";

/** How long a session that nobody uses keeps its workers. */
const LINGER_MS = 60_000;

interface Entry {
  readonly session: Promise<RaySession>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

const entries = new Map<string, Entry>();
let isClosedAtExit = false;

/** A session that is used until it is released. */
export interface HeldSession extends AsyncDisposable {
  readonly session: RaySession;
}

/** The session for these settings, started where there is none. */
export async function holdSession(
  settings: RaySettings,
  note: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<HeldSession> {
  const key = hashValue(settings);
  await dropBroken(key);
  const entry = entries.get(key) ?? startEntry(key, settings, note, signal);
  clearTimeout(entry.timer);
  entry.users++;
  const session = await entry.session;
  session.note = note;
  let isHeld = true;
  return {
    session,
    [Symbol.asyncDispose]: () => {
      if (isHeld) release(key, entry);
      isHeld = false;
      return Promise.resolve();
    },
  };
}

/** Ends a session whose job cannot go on, so that the next one is started. */
async function dropBroken(key: string): Promise<void> {
  const entry = entries.get(key);
  const session = await entry?.session.catch(() => undefined);
  if (entry === undefined || session?.isBroken !== true || entries.get(key) !== entry) return;
  entries.delete(key);
  clearTimeout(entry.timer);
  await session[Symbol.asyncDispose]();
}

function startEntry(key: string, ...how: Parameters<typeof RaySession.open>): Entry {
  const session = RaySession.open(...how);
  const entry: Entry = { session, users: 0, timer: undefined };
  entries.set(key, entry);
  // Whoever waits for it hears of the error; the next one tries again.
  session.catch(() => entries.delete(key));
  // The process ends by itself, nothing being left to do: then there is still time.
  if (!isClosedAtExit) process.on("beforeExit", () => void closeSessions());
  isClosedAtExit = true;
  return entry;
}

function release(key: string, entry: Entry): void {
  entry.users--;
  if (entry.users > 0) return;
  entry.timer = setTimeout(() => {
    if (entries.get(key) === entry) entries.delete(key);
    // Nobody is left to hear of an error: the job ends without a sign of life from here.
    entry.session.then((session) => session[Symbol.asyncDispose]()).catch(() => undefined);
  }, LINGER_MS);
  entry.timer.unref();
}

/** Ends all sessions of this process. */
export async function closeSessions(): Promise<void> {
  const open = [...entries.values()];
  entries.clear();
  for (const { session, timer } of open) {
    clearTimeout(timer);
    await session.then(
      (each) => each[Symbol.asyncDispose](),
      () => undefined,
    );
  }
}
