// A text as one word of a POSIX shell, for commands that are printed to be typed again.
//
// The simulator's and the drills' `again` lines use it.

/** As it is where no shell would change it, else in single quotes. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
