/** @file Examples as a graph takes them, and where their responses come from. */
import type { TokenizedExample } from "./engine.ts";

export interface ExampleRows {
  readonly examples: readonly TokenizedExample[];
  /** The response of the caller's examples that a response of these is. */
  placeOf(example: number, response: number): Place;
}

interface Place {
  readonly example: number;
  readonly response: number;
}

/** The examples as they are. */
export function wholeExamples(examples: readonly TokenizedExample[]): ExampleRows {
  return { examples, placeOf: (example, response) => ({ example, response }) };
}

/** Every response, or those that are taken, as an example of its own. */
export function splitResponses(
  examples: readonly TokenizedExample[],
  isTaken: (response: number) => boolean = () => true,
): ExampleRows {
  const places = examples.flatMap(({ responses }, example) =>
    responses.flatMap((_, response) => (isTaken(response) ? [{ example, response }] : [])),
  );
  return {
    examples: places.map(({ example, response }) => {
      const { prompt, responses } = examples[example]!; // made from these examples
      return { prompt, responses: [responses[response]!] };
    }),
    placeOf: (example) => places[example]!, // one for each row
  };
}
