import {effect, signal} from '@preact/signals'
import {api} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {edges, endAll, runId} from '../state/run.ts'

/** The calls to an app in each recent span of time, the latest last; earlier ones are not known. */
export interface History {
  readonly calls: readonly number[]
  readonly failed: readonly number[]
}

/** The number of spans that are kept, and the length of each, as in `GET /traffic`. */
const SPANS = 60
const SPAN_MS = 5000
export const HISTORY_MINUTES = (SPANS * SPAN_MS) / 60_000

/** The histories by the id of the callee; updated only between `followTraffic` and its end. */
export const histories = signal<ReadonlyMap<string, History>>(new Map())

export const NO_HISTORY: History = {calls: [], failed: []}

type Sums = ReadonlyMap<string, {readonly calls: number; readonly failed: number}>

/** Returns the totals of the calls to each app since the start of the run, on the edges that the run sends. */
function sumsNow(): Sums {
  const sums = new Map<string, {calls: number; failed: number}>()
  for (const {to, calls, failed} of edges.peek()) {
    const sum = sums.get(to) ?? {calls: 0, failed: 0}
    sums.set(to, {calls: sum.calls + calls, failed: sum.failed + failed})
  }
  return sums
}

/** The totals at the end of the last span. Undefined if no edges have arrived yet. */
let before: Sums | undefined
let endsAt = 0

/** Ends a span: adds the calls since the end of the last one to the histories. */
function endSpan(): void {
  const sums = sumsNow()
  const known = histories.peek()
  const changed = new Map<string, History>()
  for (const app of new Set([...known.keys(), ...sums.keys()])) {
    const {calls, failed} = known.get(app) ?? NO_HISTORY
    const [to, from] = [sums.get(app), before?.get(app)]
    // the first totals are those of the whole run, so they cannot be attributed to a span
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

/** Keeps the histories up to date until the returned function is called. */
export function followTraffic(): () => void {
  const gone = new AbortController()
  let run = ''
  const stop = effect(() => {
    if (runId.value !== run) {
      run = runId.value
      histories.value = new Map()
      before = undefined
      endsAt = 0
      begin(gone.signal).catch(() => (endsAt = Date.now() + SPAN_MS)) // the histories then begin with the next span
    }
    const at = now.value // read in any case: the effect runs again with each second
    if (endsAt === 0) return
    // load them again if the page was hidden, when no spans are counted, or if the clock was set
    if (Math.abs(at - endsAt) > 4 * SPAN_MS) return void (run = '')
    if (at < endsAt) return
    endsAt += SPAN_MS
    endSpan()
  })
  return endAll(() => gone.abort(), stop)
}
