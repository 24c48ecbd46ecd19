/** What to do about a merge conflict. */
export const RESOLVE_CONFLICT = 'keep one of the two sides, and remove the lines <<<<<<<, ======= and >>>>>>>'

/** The offset of the first marker of a Git merge conflict that was not resolved; undefined if there is none. */
export function mergeConflictIn(text: string): number | undefined {
  const at = text.search(/^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|$)/m)
  return at === -1 ? undefined : at
}
