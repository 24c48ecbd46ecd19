/**
 * The failure of a call with our reason before Dapr's words, which are long: tables cut a line at its end. To callers Dapr's words
 * come first, unchanged, and our reason behind them in brackets.
 */
export function reasonFirst(failure: string): string {
  const begin = failure.indexOf(failure.endsWith(']') ? ' [' : ' (')
  return begin < 0 || !/[)\]]$/.test(failure) ? failure : `${failure.slice(begin + 2, -1)} (${failure.slice(0, begin)})`
}
