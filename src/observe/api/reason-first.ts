/**
 * The failure of a call with our reason before Dapr's words, which are long: tables cut a line at its end. To callers Dapr's words
 * come first, unchanged, and our reason behind them in brackets.
 */
export function reasonFirst(failure: string): string {
  const [, words, inRound, inSquare] = /^(.*?) (?:\(([^]*)\)|\[([^]*)\])$/s.exec(failure) ?? []
  const reason = inRound ?? inSquare
  return words === undefined || reason === undefined ? failure : `${reason} (${words})`
}
