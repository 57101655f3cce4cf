/** A sentence where prompts hold marks that the chat template itself writes; none where no prompt does. */
export function describeMarks(marked: number, pairs: number): readonly string[] {
  if (marked === 0) return [];
  return [
    `${marked} of ${pairs} prompts hold the chat template's own marks, as if they were rendered before they were written: the template goes around them once more. --template raw takes them as they are, as TRL takes rows of text.`,
  ];
}

/** A sentence where the marks of a transcript are taken for turns and no template writes any in their place. */
export function describeLostMarks(
  shape: string | undefined,
  template: "chat" | "raw",
): readonly string[] {
  if (shape !== "hh-rlhf" || template === "chat") return [];
  return [
    'The transcripts of hh-rlhf are read as turns, and --template raw joins turns by newlines: the marks "Human:" and "Assistant:" of the files are not in what is read. Where the checkpoint was trained with them, give it a chat template that writes them, in its chat_template.jinja.',
  ];
}

/** A sentence where the chat template is put around texts, which TRL trains on as they are; none else. */
export function describeTexts(
  shape: string,
  template: "chat" | "raw" | undefined,
): readonly string[] {
  if (template !== "chat" || shape !== "trl-standard") return [];
  return [
    "Prompts and responses are texts, and the chat template is put around them. TRL trains on such rows without it: where the checkpoint was trained so, --template raw reads them as it did.",
  ];
}
