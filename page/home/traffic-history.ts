import {effect, signal} from '@preact/signals'
import {api} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {edges, runId} from '../state/run.ts'

/** Calls to an app over the last minutes, the latest last; what was before is not known. */
export interface History {
  readonly calls: readonly number[]
  readonly failed: readonly number[]
}

/** Spans of time that are kept, and how long each is, as the run counts them (`GET /traffic`). */
const SPANS = 60
const SPAN_MS = 5000
export const HISTORY_MINUTES = (SPANS * SPAN_MS) / 60_000

/** By the id of the callee; only while they are followed. */
export const histories = signal<ReadonlyMap<string, History>>(new Map())

export const NO_HISTORY: History = {calls: [], failed: []}

type Sums = ReadonlyMap<string, {readonly calls: number; readonly failed: number}>

/** All calls to each app since the start of the run. */
function sumsNow(): Sums {
  const sums = new Map<string, {calls: number; failed: number}>()
  for (const {to, calls, failed} of edges.peek()) {
    const sum = sums.get(to) ?? {calls: 0, failed: 0}
    sums.set(to, {calls: sum.calls + calls, failed: sum.failed + failed})
  }
  return sums
}

/** The counts of the edges when the last span ended; undefined: they have not come. */
let before: Sums | undefined
let endsAt = 0

/** Ends a span of time: what has been counted since the last one was in it. */
function endSpan(): void {
  const sums = sumsNow()
  const known = histories.peek()
  const changed = new Map<string, History>()
  for (const app of new Set([...known.keys(), ...sums.keys()])) {
    const {calls, failed} = known.get(app) ?? NO_HISTORY
    const [to, from] = [sums.get(app), before?.get(app)]
    // counts that come for the first time are of the whole run
    const grown = (name: 'calls' | 'failed'): number =>
      before === undefined || to === undefined ? 0 : Math.max(0, to[name] - (from?.[name] ?? 0))
    changed.set(app, {
      calls: [...calls, grown('calls')].slice(-SPANS),
      failed: [...failed, grown('failed')].slice(-SPANS)
    })
  }
  if (edges.peek().length > 0 || before !== undefined) before = sums
  histories.value = changed
}

async function begin(gone: AbortSignal): Promise<void> {
  const {apps} = await api.ask('GET /traffic', {signal: gone})
  endsAt = Date.now() + SPAN_MS
  before = edges.peek().length > 0 ? sumsNow() : undefined
  histories.value = new Map(apps.map(({app, calls, failed}) => [app, {calls, failed}]))
}

/** Keeps the histories up to date until the function that is returned is called. */
export function followTraffic(): () => void {
  const gone = new AbortController()
  let run = ''
  const stop = effect(() => {
    if (runId.value !== run) {
      run = runId.value
      histories.value = new Map()
      before = undefined
      endsAt = 0
      begin(gone.signal).catch(() => (endsAt = Date.now() + SPAN_MS)) // then the line begins now
    }
    const at = now.value // read in any case: the effect runs again with each second
    if (endsAt === 0) return
    // the page was hidden for a while, and no samples were counted meanwhile; or the clock was set
    if (Math.abs(at - endsAt) > 4 * SPAN_MS) return void (run = '')
    if (at < endsAt) return
    endsAt += SPAN_MS
    endSpan()
  })
  return () => {
    gone.abort()
    stop()
  }
}
