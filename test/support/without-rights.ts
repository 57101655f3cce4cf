/** Someone who owns nothing. */
const NOBODY = 65534;

/** Does something as a user without rights to the test's files: tests may run as root, whom no file's rights concern. */
export function withoutRights<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid!(NOBODY); // there, as geteuid is
  try {
    return work();
  } finally {
    process.seteuid!(0);
  }
}
