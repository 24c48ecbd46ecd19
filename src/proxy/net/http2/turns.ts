/** How many streams are served in one turn of the event loop. */
const PER_TURN = 16
/** In a flood fewer streams are served in a turn: a listener accepts one connection in a turn, so new callers wait for many. */
const [FLOOD, PER_TURN_OF_FLOOD] = [64, 4]

let waiting: (() => boolean)[] = []
let served = 0
let isScheduled = false

/** Serves now, or in a later turn if this one is used up, in order. `serve` returns whether there was work. */
export const inTurn = (serve: () => boolean): void => {
  if (!isScheduled) {
    isScheduled = true
    setImmediate(nextTurn)
  }
  if (served >= PER_TURN || waiting.length > 0) waiting.push(serve)
  else if (serve()) served++
}

const nextTurn = (): void => {
  served = 0
  isScheduled = waiting.length > 0
  if (isScheduled) setImmediate(nextTurn)
  const most = waiting.length > FLOOD ? PER_TURN_OF_FLOOD : PER_TURN
  let taken = 0
  for (const serve of waiting) {
    if (served >= most) break
    taken++
    if (serve()) served++
  }
  waiting = waiting.slice(taken)
}
