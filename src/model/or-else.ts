/** What a function returns; the fallback if it throws: where something is missing, unreadable or malformed, and no one asks why. */
export function orElse<T, F = T>(work: () => T, fallback: F): T | F {
  try {
    return work()
  } catch {
    return fallback
  }
}

/** A text without its percent-encoding; where that is broken, as it is. */
export const uriDecoded = (text: string): string =>
  text.includes('%') ? orElse(() => decodeURIComponent(text), text) : text
