/** In the run's folder. */
export const DECISIONS_NAME = "decisions.jsonl";
