/** As a variant is called here, whatever name it has in a published file. */
export function variantName(name: string): string {
  return name === "base_plus_distractor" ? "base+distractor" : name;
}
