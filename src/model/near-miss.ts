/** Returns how many single characters to insert, delete, replace or swap to turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({length: b.length + 1}, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** Returns the known word that was probably meant: at most a third of its characters differ, ignoring case; '': none. */
export function nearMiss(typed: string, known: Iterable<string>): string {
  let [best, least] = ['', Infinity]
  for (const word of known) {
    const most = Math.max(1, Math.floor(word.length / 3))
    if (Math.abs(typed.length - word.length) > most) continue
    const distance = editDistance(typed.toLowerCase(), word.toLowerCase())
    if (distance < least && distance <= most) [best, least] = [word, distance]
  }
  return best
}
