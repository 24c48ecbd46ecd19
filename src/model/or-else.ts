/** Returns the result of a function, or the fallback if it throws: for missing, unreadable or malformed input of no further interest. */
export function orElse<T, F = T>(work: () => T, fallback: F): T | F {
  try {
    return work()
  } catch {
    return fallback
  }
}

/** Decodes percent-encoding. Returns a text with broken encoding unchanged. */
export const uriDecoded = (text: string): string =>
  text.includes('%') ? orElse(() => decodeURIComponent(text), text) : text
