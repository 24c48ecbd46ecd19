// What takes long, and could fill a turn of the event loop when several come at once: others are served between any two of them.

const reads: (() => boolean)[] = []

/** Reads on in a turn of its own, in order. `read` tells whether there was anything to do. */
export const readInOwnTurn = (read: () => boolean): void => {
  if (reads.push(read) === 1) setImmediate(nextRead)
}

const nextRead = (): void => {
  let taken = 0
  for (const read of reads) {
    taken++
    if (read()) break
  }
  reads.splice(0, taken)
  if (reads.length > 0) setImmediate(nextRead)
}

/** Between two bodies, in ms: a call of somebody else takes several turns. */
const APART_MS = 10

const bodies: (() => void)[] = []

/** Settles when it is the turn of a large body, some ms after the work for the one before. */
export const bodyTurn = async (): Promise<void> =>
  new Promise(resolve => {
    if (bodies.push(resolve) === 1) setImmediate(nextBody)
  })

const nextBody = (): void => {
  bodies[0]?.()
  // the work follows in this turn
  setImmediate(() => setTimeout(afterBody, APART_MS))
}

const afterBody = (): void => {
  bodies.shift()
  if (bodies.length > 0) nextBody()
}
