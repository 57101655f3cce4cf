/** A sentence where prompts hold marks that the chat template itself writes; none where no prompt does. */
export function describeMarks(marked: number, pairs: number): readonly string[] {
  if (marked === 0) return [];
  return [
    `${marked} of ${pairs} prompts hold the chat template's own marks, as if they were rendered before they were written: the template goes around them once more. --template raw takes them as they are, as TRL takes rows of text.`,
  ];
}
