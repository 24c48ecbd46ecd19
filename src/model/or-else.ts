/** What a function returns; the fallback if it throws: where something is missing, unreadable or malformed, and no one asks why. */
export function orElse<T, F = T>(work: () => T, fallback: F): T | F {
  try {
    return work()
  } catch {
    return fallback
  }
}
