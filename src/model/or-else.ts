/** Returns the result of a function, or the fallback if it throws: for missing, unreadable or malformed input of no further interest. */
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
