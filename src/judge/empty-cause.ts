/** Why a response without a text of its own cannot be judged. */
export function emptyCause(text: string): string {
  return text.trim() === "" ? "empty response" : "no response after the thinking";
}
