/** `0.4 ms`, `18 ms`, `2.3 s`. */
export const durationText = (ms: number): string => {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1000 ? `${Math.round(ms).toString()} ms` : `${(ms / 1000).toFixed(1)} s`
}
