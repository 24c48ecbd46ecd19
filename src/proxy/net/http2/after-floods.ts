/** How long after a connection was cut for a flood new connections of HTTP/2 have to wait, in ms … */
const WATCHED_MS = 1000
/** … each of them this long … */
const HELD_MS = 150
/** … and this long after the one before: a client that reconnects again and again leaves others most of the time. */
const APART_MS = 20

let last = -Infinity
let next = 0
/** Connections that begin in the turns to come, one in each: what they have sent ahead is read without a break. */
let waiting: (() => void)[] = []
let hasBegun = false

/** A connection was cut for a flood. */
export const flooded = (): void => void (last = performance.now())

/** Whether a connection has just been cut: a new one may come from the same client. */
export const isWary = (): boolean => performance.now() - last <= WATCHED_MS

/** Begins to serve a new connection: now, or a little later where others begin or one has just been cut. */
export const afterFloods = (begin: () => void): void => {
  if (!isWary()) return beginInTurn(begin)
  const now = performance.now()
  next = Math.max(next + APART_MS, now + HELD_MS)
  setTimeout(begin, next - now)
}

const beginInTurn = (begin: () => void): void => {
  if (hasBegun) return void waiting.push(begin)
  hasBegun = true
  setImmediate(nextTurn)
  begin()
}

const nextTurn = (): void => {
  const held = waiting
  waiting = []
  hasBegun = false
  for (const begin of held) afterFloods(begin)
}
