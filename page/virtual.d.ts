/** The words of the glossary that the page uses, with their definitions; vite.config.ts makes it. */
declare module "virtual:glossary" {
  const definitions: readonly (readonly [word: string, definition: string])[];
  export default definitions;
}
