import {signal} from '@preact/signals'
import {ask, problemOf} from '../state/api.ts'
import {listen, type CallRow} from '../state/run.ts'

const FIRST = 300
const MAX_ROWS = 5000
/** With a filter the run is asked for new calls so often at most. */
const ASK_MS = 500

/** The calls of the view, the latest first. */
export const calls = signal<readonly CallRow[]>([])
/** How many calls ended besides; the run has them. */
export const notShown = signal(0)
/** What is wrong with the filter; '' = nothing. */
export const mistake = signal('')
/** Earlier calls are not shown: the list was cleared at this one. */
const cleared = signal(0)

export const isCleared = (): boolean => cleared.value > 0

/** Takes all calls off the list; the run keeps them. */
export function clear(): void {
  cleared.value = calls.peek()[0]?.number ?? cleared.peek()
  calls.value = []
  notShown.value = 0
}

/** Shows calls that were taken off. */
export function unclear(): void {
  cleared.value = 0
}

/** Newer rows replace older ones of the same call. */
function add(rows: readonly CallRow[]): void {
  const known = new Map(calls.peek().map(row => [row.number, row]))
  for (const row of rows) if (row.number > cleared.peek()) known.set(row.number, row)
  calls.value = [...known.values()].toSorted((a, b) => b.number - a.number).slice(0, MAX_ROWS)
}

/** Keeps the list up to date with the calls that a filter matches, until the function that is returned is called. */
export function followCalls(q: string): () => void {
  const gone = new AbortController()
  calls.value = []
  notShown.value = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  const load = async (): Promise<void> => {
    const after = Math.max(cleared.peek(), calls.peek()[0]?.number ?? 0)
    const query = new URLSearchParams({q, limit: FIRST.toString(), after: after.toString()})
    try {
      const found = await ask<{readonly calls: readonly CallRow[]}>(`/calls?${query.toString()}`, {signal: gone.signal})
      mistake.value = ''
      add(found.calls)
    } catch (error) {
      if (gone.signal.aborted) return
      const {message, hint, status} = problemOf(error)
      if (status === 400) mistake.value = `${message}${hint === '' ? '' : `. ${hint}`}`
    }
  }
  const loadSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      if (isAsking || mistake.peek() !== '') return
      isAsking = true
      void load().finally(() => (isAsking = false))
    }, ASK_MS)
  }
  void load()
  const stop = listen('calls', batch => {
    if (q !== '') return loadSoon()
    add(batch.calls)
    notShown.value += batch.notShown
  })
  // after a loss, or with another run
  const stopReset = listen('reset', () => {
    calls.value = []
    void load()
  })
  return () => {
    gone.abort()
    clearTimeout(timer)
    stop()
    stopReset()
  }
}
