/**
 * The shortest list that still fails, as far as leaving out pieces finds it (delta debugging, Zeller 1999): first halves,
 * then smaller and smaller pieces. Gives up looking after `tries` tries.
 */
export async function shrink<T>(
  whole: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  tries: number
): Promise<readonly T[]> {
  let shortest = whole
  let left = tries
  for (let size = Math.ceil(whole.length / 2); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    let from = shortest.length // from the end: what came last matters most, and stays
    while (from > 0 && left > 0) {
      from = Math.max(0, from - size)
      const part = shortest.toSpliced(from, size)
      if (part.length === shortest.length || part.length === 0) continue
      left--
      if (await fails(part)) shortest = part
    }
  }
  return shortest
}
