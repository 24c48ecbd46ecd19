/** Streams that are served in one turn of the event loop. Who opens hundreds at once keeps others waiting no longer than these take. */
const PER_TURN = 16

let waiting: (() => void)[] = []
let served = 0
let isScheduled = false

/** Serves now, or in one of the next turns where this one has had its share; in order. */
export const inTurn = (serve: () => void): void => {
  if (!isScheduled) {
    isScheduled = true
    setImmediate(nextTurn)
  }
  if (served < PER_TURN && waiting.length === 0) {
    served++
    serve()
  } else waiting.push(serve)
}

const nextTurn = (): void => {
  const now = waiting.slice(0, PER_TURN)
  waiting = waiting.slice(PER_TURN)
  served = now.length
  isScheduled = served > 0
  if (isScheduled) setImmediate(nextTurn)
  for (const serve of now) serve()
}
