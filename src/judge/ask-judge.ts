/** @file One question to the judge: what is stored, what is asked, what it comes to. */
import type { PaidAnswer } from "../endpoint/answer-lines.ts";
import { type AskAllowance, BEYOND_BUDGET } from "../endpoint/asker.ts";
import type { ChatAnswer, ChatRequest } from "../endpoint/chat-endpoint.ts";
import { EndpointFault } from "../endpoint/endpoint-fault.ts";
import { costOf, createPurse, type Purse, type TokenCount, withCounts } from "../endpoint/money.ts";
import type { Message } from "../format/messages.ts";
import type { AskingOptions, JudgeUsage } from "./llm-judge-options.ts";
import { parseAnswer, type ParsedAnswer } from "./parse-answer.ts";
import { answerSchema } from "./rubric-request.ts";
import type { RubricAnswer } from "./rubric.ts";
import { unreadableJudge } from "./unreadable-judge.ts";

/** What is known of one question. */
export interface Outcome {
  readonly parsed: ParsedAnswer;
  readonly raw?: string | undefined;
  readonly cost?: number | undefined;
  readonly isCached: boolean;
  /** There was no text to ask about. Default false. */
  readonly isEmpty?: boolean | undefined;
}

/** What all questions of a judge share. */
export interface Books {
  readonly usage: JudgeUsage;
  readonly purse: Purse | undefined;
  /** Of this run's answers: whether one ever said something, and why each since the last such one does not. */
  hasReadable: boolean;
  readonly unreadable: string[];
  /** Questions that were asked anew: once is enough. */
  readonly anew: Set<string>;
  /** The first question, which finds out whether the endpoint takes a schema. */
  first?: Promise<unknown> | undefined;
}

/** Nothing asked yet. */
export function openBooks({
  structured,
  prices,
  maxCost,
  store,
}: Pick<AskingOptions, "structured" | "prices" | "maxCost" | "store">): Books {
  const usage: JudgeUsage = {
    wanted: 0,
    unanswered: 0,
    cached: 0,
    answers: 0,
    unreadable: 0,
    estimated: 0,
    promptTokens: 0,
    completionTokens: 0,
    cost: 0,
    isStructured: structured === "off" ? false : undefined,
  };
  const purse =
    maxCost === undefined || prices === undefined
      ? undefined
      : createPurse(maxCost, { spent: store.totals.cost, prices });
  return { usage, purse, hasReadable: false, unreadable: [], anew: new Set() };
}

/** Counts what became of a question. */
export function countOutcome(
  usage: JudgeUsage,
  { parsed, isCached, isEmpty = false }: Outcome,
): void {
  const isMissing = "missing" in parsed;
  if (!isEmpty && !(isMissing && parsed.missing === BEYOND_BUDGET)) {
    usage.wanted++;
    if (isMissing && parsed.isSaid !== true) usage.unanswered++;
  }
  if (isCached) usage.cached++;
  if (isMissing && !parsed.isFinal) usage.unreadable++;
}

/** Hands those who ask the same question while it is under way the one answer. */
export function shareQuestions(
  ask: (question: Question) => Promise<Outcome>,
): (question: Question) => Promise<Outcome> {
  const running = new Map<string, Promise<Outcome>>();
  return async (question) => {
    const twin = running.get(question.key);
    if (twin !== undefined) return { ...(await twin), isCached: true, cost: 0 };
    const asked = ask(question);
    running.set(question.key, asked);
    try {
      return await asked;
    } finally {
      running.delete(question.key);
    }
  };
}

export interface Question {
  readonly messages: readonly Message[];
  readonly key: string;
  readonly signal: AbortSignal;
}

/** Takes the stored answers to a question and asks for more until one is readable or no more may be asked. */
export async function askUntilReadable(
  options: AskingOptions,
  books: Books,
  question: Question,
): Promise<Outcome> {
  const { rubric, asker, store } = options;
  const paid = [...(await store.answers(question.key))];
  const before = paid.length;
  const isAnew = options.isAnew === true && !books.anew.has(question.key);
  const most = before + answersLeft(paid, { ...options, answer: rubric.answer, isAnew });
  if (isAnew && most > before) books.anew.add(question.key);
  const allowance = asker.allowance();
  for (;;) {
    const last = paid.at(-1);
    const parsed = last === undefined ? undefined : parseAnswer(last, rubric.answer);
    if (parsed !== undefined && paid.length > before) countAnswer(options, books, parsed);
    if ((parsed !== undefined && saysSomething(parsed)) || paid.length >= most) {
      return { ...outcome(parsed!, paid), isCached: paid.length === before }; // most is at least 1
    }
    const failed = (missing: string): Outcome => ({
      ...outcome({ missing, isFinal: true }, paid),
      isCached: false,
    });
    if (allowance.left <= 0) return failed((parsed as { missing: string }).missing); // only an answer leaves the loop running
    try {
      paid.push(await askOnce(options, books, question, allowance));
    } catch (error) {
      if (!(error instanceof EndpointFault)) throw error;
      return failed(error.what);
    }
  }
}

const saysSomething = (parsed: ParsedAnswer): boolean => !("missing" in parsed) || parsed.isFinal;

/** How many answers to a question may still be asked for, `paid` being there: none once one says something. */
export function answersLeft(
  paid: readonly PaidAnswer[],
  options: Pick<AskingOptions, "answers" | "isAnew"> & { readonly answer: RubricAnswer },
): number {
  const { answer, answers = DEFAULT_ANSWERS, isAnew = false } = options;
  const last = paid.at(-1);
  if (last !== undefined && saysSomething(parseAnswer(last, answer))) return 0;
  return isAnew && paid.length >= answers ? answers : Math.max(0, answers - paid.length);
}

const DEFAULT_ANSWERS = 3;
/** So many first answers of which none can be read: the judge does not do what is asked of it. */
const PATIENCE = 60;
/** So many in a row after one that could be: it no longer does. More, as a condition of the file may be one that it cannot answer about. */
const LATER_PATIENCE = 180;

/** Counts an answer of this run. Throws RuntimeError where the last ones cannot be read: the others would be paid for as well. */
function countAnswer(options: AskingOptions, books: Books, parsed: ParsedAnswer): void {
  if (!("missing" in parsed) || parsed.isFinal) {
    books.hasReadable = true;
    books.unreadable.length = 0;
    return;
  }
  books.unreadable.push(parsed.missing);
  const most = books.hasReadable ? LATER_PATIENCE : PATIENCE;
  if (books.unreadable.length >= most) throw unreadableJudge(options, books);
}

function outcome(parsed: ParsedAnswer, paid: readonly PaidAnswer[]): Omit<Outcome, "isCached"> {
  const raw = paid.at(-1)?.text;
  return {
    parsed,
    raw,
    cost: paid.length === 0 ? undefined : paid.reduce((sum, { cost = 0 }) => sum + cost, 0),
  };
}

/** One paid answer, on disk. Throws EndpointFault where none is to be had. */
async function askOnce(
  options: AskingOptions,
  books: Books,
  { messages, key, signal }: Question,
  allowance: AskAllowance,
): Promise<PaidAnswer> {
  const { rubric, store, prices, temperature = 0 } = options;
  const plain: ChatRequest = { messages, temperature, maxTokens: rubric.maxTokens };
  const { usage, purse } = books;
  const priced = <T extends TokenCount>(taken: T): T & { readonly cost?: number | undefined } =>
    prices === undefined ? taken : { ...taken, cost: costOf(taken, prices) };
  const onBroken = async (taken: TokenCount): Promise<void> => {
    addTaken(usage, priced(taken));
    await store.appendBroken(key, priced(taken));
  };
  const ask: Ask = (request) => options.asker.ask(request, allowance, { signal, purse, onBroken });
  const paid = priced(withCounts(plain, await askStructured(options, books, plain, ask)));
  usage.answers++;
  addTaken(usage, paid);
  await store.append(key, paid);
  return paid;
}

function addTaken(
  usage: JudgeUsage,
  taken: TokenCount & { readonly cost?: number | undefined },
): void {
  usage.promptTokens += taken.promptTokens;
  usage.completionTokens += taken.completionTokens;
  usage.cost += taken.cost ?? 0;
  if (taken.isEstimated === true) usage.estimated++;
}

type Ask = (request: ChatRequest) => Promise<ChatAnswer>;

/** Asks with the schema while the endpoint takes it; the first question finds that out, the others wait for it. */
async function askStructured(
  options: AskingOptions,
  books: Books,
  plain: ChatRequest,
  ask: Ask,
): Promise<ChatAnswer> {
  const { rubric, structured = "auto" } = options;
  if (structured === "off") return ask(plain);
  const asked = (): Promise<ChatAnswer> => askEitherWay({ rubric, structured }, books, plain, ask);
  if (books.first !== undefined) {
    await books.first.catch((error: unknown) => {
      if (!(error instanceof EndpointFault)) throw error; // ends the run
    });
    return asked();
  }
  const first = asked();
  books.first = first;
  return first;
}

/** With the schema; where it is refused, without, and if that is answered, from then on. */
async function askEitherWay(
  { rubric, structured }: Pick<AskingOptions, "rubric" | "structured">,
  { usage }: Books,
  plain: ChatRequest,
  ask: Ask,
): Promise<ChatAnswer> {
  if (usage.isStructured === false) return ask(plain);
  try {
    const answer = await ask({ ...plain, schema: answerSchema(rubric.answer) });
    usage.isStructured = true;
    return answer;
  } catch (error) {
    const isRefused =
      error instanceof EndpointFault && error.concerns === "item" && error.status !== undefined;
    if (!isRefused || structured === "on" || usage.isStructured === true) throw error;
    const answer = await ask(plain);
    usage.isStructured = false;
    return answer;
  }
}
