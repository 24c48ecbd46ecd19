/**
 * The shortest list that still fails, as far as leaving out pieces finds it (delta debugging, Zeller 1999): first halves,
 * then smaller and smaller pieces, single ones until all are needed. Gives up looking after `tries` tries.
 */
export async function shrink<T>(
  whole: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  tries: number
): Promise<readonly T[]> {
  let shortest = whole
  let left = tries
  const leaveOut = async (size: number): Promise<boolean> => {
    const before = shortest
    // from the end: what came last matters most, and stays
    for (let from = shortest.length - size; from > -size && left > 0; from -= size) {
      const part = shortest.toSpliced(Math.max(0, from), Math.min(size, size + from))
      if (part.length === 0) continue
      left--
      if (await fails(part)) shortest = part
    }
    return shortest !== before
  }
  for (let size = Math.ceil(whole.length / 2); size > 1; size = Math.ceil(size / 2)) await leaveOut(size)
  while (await leaveOut(1));
  return shortest
}
