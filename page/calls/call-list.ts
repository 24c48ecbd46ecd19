import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {api, problemOf, problemText} from '../state/api.ts'
import {connection, isPaused, listen, runId} from '../state/run.ts'

const FIRST = 300
const MAX_ROWS = 5000
/** With a filter new calls are requested at most this often. */
const ASK_MS = 500
/** The same for requests: joining calls to them takes the run longer. */
const REQUESTS_MS = 1000
/** How often calls under way are requested. */
const OPEN_MS = 1000
const MAX_OPEN = 50
/** How many numbers before the latest one are looked up again. */
const LATE = 2000

/** The calls of the view, the latest first. */
export const calls = signal<readonly Api.Call[]>([])
/** How many calls there were besides since the list was cleared; the run has the latest of them. */
export const notShown = signal(0)
/** Whether the run has answered. */
export const isAnswered = signal(false)
/** What is wrong with the filter; '' = nothing. */
export const mistake = signal('')
/** Where the list was cleared, and in which run: earlier calls of that are not shown. */
const cleared = signal({run: '', number: 0})
const clearedAt = (): number => (cleared.value.run === runId.value ? cleared.value.number : 0)

/** What is listed: a filter, and whether it is of requests. */
const shownFor = signal('')

const keyOf = (q: string, isOfRequests: boolean): string => (isOfRequests ? `requests ${q}` : q)

/** Others are asked for: those that are listed are of another filter. */
export const isOther = (q: string, isOfRequests: boolean): boolean => shownFor.value !== keyOf(q, isOfRequests)

export const isCleared = (): boolean => clearedAt() > 0

/** Takes all calls off the list; the run keeps them. */
export function clear(): void {
  cleared.value = {run: runId.peek(), number: calls.peek()[0]?.number ?? clearedAt()}
  calls.value = []
  notShown.value = 0
}

/** Shows calls that were taken off. */
export function unclear(): void {
  cleared.value = {run: '', number: 0}
}

/** Newer rows replace older ones of the same call. */
function add(rows: readonly Api.Call[]): void {
  const known = new Map(calls.peek().map(row => [row.number, row]))
  for (const row of rows) if (row.number > clearedAt()) known.set(row.number, row)
  const listed = [...known.values()].toSorted((a, b) => b.number - a.number).slice(0, MAX_ROWS)
  calls.value = listed
  // each call has the next number; with a filter it is not known how many others it would list
  const all = (listed[0]?.number ?? clearedAt()) - clearedAt()
  notShown.value = shownFor.peek() === '' ? Math.max(0, all - listed.length) : 0
}

/** A call that took long has a lower number than others that ended before it. */
const since = (back: number): number => Math.max(clearedAt(), (calls.peek()[0]?.number ?? 0) - back, 0)

/** Keeps the list up to date with the calls that a filter matches, until the function that is returned is called. `isOfRequests`: with whole requests. */
export function followCalls(q: string, isOfRequests: boolean): () => void {
  const gone = new AbortController()
  /** Calls that came before the first answer; undefined: it is there. */
  let early: readonly Api.Call[] | undefined = []
  /** What is listed stays until it is known what replaces it. */
  const begin = (rows: readonly Api.Call[]): void => {
    calls.value = []
    shownFor.value = keyOf(q, isOfRequests)
    add([...(early ?? []), ...rows])
    early = undefined
  }
  // when the run has ended, what was known stays
  if (connection.peek().state === 'open') {
    isAnswered.value = false
    notShown.value = 0
  } else if (isOther(q, isOfRequests)) begin([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  const rowsOf = async (query: Readonly<Record<string, string | number>>): Promise<readonly Api.Call[]> => {
    if (isOfRequests) {
      const {requests} = await api.ask('GET /requests', {query, signal: gone.signal})
      return requests.filter(({number}) => number > clearedAt())
    }
    const found = await api.ask('GET /calls', {query, signal: gone.signal})
    return found.calls
  }
  const load = async (): Promise<void> => {
    try {
      const after = early === undefined ? since(LATE) : clearedAt()
      const rows = await rowsOf({q, limit: FIRST, after})
      if (early === undefined && !isOfRequests) add(rows)
      else begin(rows)
      mistake.value = ''
      isAnswered.value = true
    } catch (error) {
      if (gone.signal.aborted) return
      const {status} = problemOf(error)
      begin(isOther(q, isOfRequests) ? [] : calls.peek())
      mistake.value = status === 400 ? problemText(error) : ''
    }
  }
  /** Calls under way, and what has become of those that were. */
  const lookAtOpen = async (): Promise<void> => {
    const known = calls.peek().filter(({isOpen}) => isOpen)
    const open = await rowsOf({q: `${q} is:open`, limit: MAX_OPEN, after: since(LATE)})
    const over = known.filter(({number}) => !open.some(each => each.number === number)).slice(0, MAX_OPEN)
    const ended = await Promise.all(over.map(async ({number: n}) => rowsOf({q, after: n - 1, before: n + 1, limit: 1})))
    if (over.length === 0 && open.length === 0) return
    calls.value = calls.peek().filter(row => !over.includes(row))
    add([...open, ...ended.flat()])
  }
  const loadSoon = (): void => {
    timer ??= setTimeout(
      () => {
        timer = undefined
        // what came while the run is asked may not be in its answer
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
      .catch(() => undefined) // the strip of the connection says so
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
  // with another run
  const stopReset = listen('reset', () => {
    early = []
    void load()
  })
  return () => {
    gone.abort()
    clearTimeout(timer)
    clearInterval(openTimer)
    stop()
    stopFollowing()
    stopReset()
  }
}
