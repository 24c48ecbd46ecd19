import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {api, problemOf, problemText} from '../state/api.ts'
import {connection, endAll, isPaused, listen, runId} from '../state/run.ts'

const FIRST = 300
const MAX_ROWS = 5000
/** With a filter, new calls are requested at most this often. */
const ASK_MS = 500
/** Requests are asked for at most this often, because the run needs longer to join calls to requests. */
const REQUESTS_MS = 1000
/** How often open calls are requested. */
const OPEN_MS = 1000
const MAX_OPEN = 1000
/** How many calls are requested one by one, as they are no longer open. */
const MAX_OVER = 50
/** How many numbers before the latest call are requested again, because a slow call ends after calls with higher numbers. */
const LATE = 2000

/** The listed calls, the latest first. */
export const calls = signal<readonly Api.Call[]>([])
/** The number of calls since the list was cleared that are not listed; the run keeps the latest of them. */
export const notShown = signal(0)
export const isAnswered = signal(false)
/** Mistake in the filter; empty if there is none. */
export const mistake = signal('')
/** The last call when the list was cleared, and its run; the list leaves out earlier calls of that run. */
const cleared = signal({run: '', number: 0})
const clearedAt = (): number => (cleared.value.run === runId.value ? cleared.value.number : 0)

/** The filter that the listed rows match, and whether they are requests. */
const shownFor = signal('')

const keyOf = (q: string, isOfRequests: boolean): string => (isOfRequests ? `requests ${q}` : q)

/** Returns whether the listed rows are requests. */
export const areRequests = (): boolean => shownFor.value.startsWith(keyOf('', true))

/** Returns whether the listed rows belong to another filter, because those of this one have not arrived yet. */
export const isOther = (q: string, isOfRequests: boolean): boolean => shownFor.value !== keyOf(q, isOfRequests)

export const isCleared = (): boolean => clearedAt() > 0

/** Removes all calls from the list; the run keeps them. */
export function clear(): void {
  cleared.value = {run: runId.peek(), number: calls.peek()[0]?.number ?? clearedAt()}
  calls.value = []
  notShown.value = 0
}

/** Makes cleared calls appear in the list again, when it is loaded next. */
export function unclear(): void {
  cleared.value = {run: '', number: 0}
}

/** Adds rows to the list; a newer row of a call replaces the older one. */
function add(rows: readonly Api.Call[]): void {
  const known = new Map(calls.peek().map(row => [row.number, row]))
  for (const row of rows) if (row.number > clearedAt()) known.set(row.number, row)
  const listed = [...known.values()].toSorted((a, b) => b.number - a.number).slice(0, MAX_ROWS)
  calls.value = listed
  // call numbers have no gaps, but with a filter it is unknown how many of the unlisted calls match
  const all = (listed[0]?.number ?? clearedAt()) - clearedAt()
  notShown.value = shownFor.peek() === '' ? Math.max(0, all - listed.length) : 0
}

/** Returns the number after which calls are requested: `back` before the latest one, as a slow call may end after later ones. */
const since = (back: number): number => Math.max(clearedAt(), (calls.peek()[0]?.number ?? 0) - back, 0)

/** Keeps the list of calls, or requests (`isOfRequests`), that match a filter up to date until the returned function is called. */
export function followCalls(q: string, isOfRequests: boolean): () => void {
  const gone = new AbortController()
  /** The calls that arrived before the first answer. Undefined after it. */
  let early: readonly Api.Call[] | undefined = []
  /** Replaces the list; called only when the new rows are known, so that the old ones stay until then. */
  const begin = (rows: readonly Api.Call[]): void => {
    calls.value = []
    shownFor.value = keyOf(q, isOfRequests)
    add([...(early ?? []), ...rows])
    early = undefined
  }
  // without a connection the known calls stay, unless they belong to another filter
  if (connection.peek().state === 'open') {
    isAnswered.value = false
    notShown.value = 0
  } else if (isOther(q, isOfRequests)) begin([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  /** Throws for those of a run that has ended meanwhile: `reset` has asked the next one. */
  const rowsOf = async (query: Readonly<Record<string, string | number>>): Promise<readonly Api.Call[]> => {
    const ofRun = runId.peek()
    const found = isOfRequests
      ? (await api.ask('GET /requests', {query, signal: gone.signal})).requests
      : (await api.ask('GET /calls', {query, signal: gone.signal})).calls
    if (ofRun !== runId.peek()) throw new Error('another run has begun')
    return isOfRequests ? found.filter(({number}) => number > clearedAt()) : found
  }
  const load = async (): Promise<void> => {
    const ofRun = runId.peek()
    try {
      const after = early === undefined ? since(LATE) : clearedAt()
      const rows = await rowsOf({q, limit: FIRST, after})
      if (early === undefined && !isOfRequests) add(rows)
      else begin(rows)
      mistake.value = ''
      isAnswered.value = true
    } catch (error) {
      if (gone.signal.aborted || ofRun !== runId.peek()) return
      const {status} = problemOf(error)
      begin(isOther(q, isOfRequests) ? [] : calls.peek())
      mistake.value = status === 400 ? problemText(error) : ''
    }
  }
  /** Requests the open calls, and the results of listed ones that are no longer open. */
  const lookAtOpen = async (): Promise<void> => {
    const known = calls.peek().filter(({isOpen}) => isOpen)
    const open = await rowsOf({q: `${q} is:open`, limit: MAX_OPEN, after: since(LATE)})
    const over = known.filter(({number}) => !open.some(each => each.number === number)).slice(0, MAX_OVER)
    const ended = await Promise.all(over.map(async ({number: n}) => rowsOf({q, after: n - 1, before: n + 1, limit: 1})))
    if (over.length === 0 && open.length === 0) return
    calls.value = calls.peek().filter(row => !over.includes(row))
    add([...open, ...ended.flat()])
  }
  const loadSoon = (): void => {
    timer ??= setTimeout(
      () => {
        timer = undefined
        // the answer to the current request may lack these calls, so ask again after it
        if (isAsking) return loadSoon()
        if (mistake.peek() !== '') return
        isAsking = true
        void load().finally(() => (isAsking = false))
      },
      isOfRequests ? REQUESTS_MS : ASK_MS
    )
  }
  void load()
  let isLooking = false
  const openTimer = setInterval(() => {
    if (isOfRequests || isLooking || early !== undefined || document.hidden || isPaused.peek() || mistake.peek() !== '')
      return
    isLooking = true
    lookAtOpen()
      .catch(() => undefined) // ConnectionStrip shows the problem
      .finally(() => (isLooking = false))
  }, OPEN_MS)
  const stop = listen('calls', batch => {
    if (q !== '' || isOfRequests) return loadSoon()
    if (early === undefined) add(batch.calls)
    else early = [...early, ...batch.calls]
  })
  const stopFollowing = listen('following', () => {
    if (mistake.peek() === '') void load()
  })
  // the state was sent again, perhaps by another run
  const stopReset = listen('reset', () => {
    early = []
    void load()
  })
  return endAll(
    () => gone.abort(),
    () => clearTimeout(timer),
    () => clearInterval(openTimer),
    stop,
    stopFollowing,
    stopReset
  )
}
