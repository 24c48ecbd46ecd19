import {dirname} from 'node:path'
import type {KeptRun} from '../../model/api.generated.ts'
import {durationText} from '../../model/duration.ts'
import {runLines} from '../../platform/run-lines.ts'

/** Fewer calls say nothing. */
const MIN_CALLS = 20
/** A callee is slower if it takes at least this many times as long, and this many ms more. */
const MIN_RATIO = 1.5
const MIN_MORE_MS = 5
/** By how much the share of failed calls has to rise. */
const MIN_SHARE = 0.1

/** The calls to one callee. */
interface Figures {
  readonly calls: number
  readonly failed: number
  /** The 95th percentile; for several callers that of the slowest. */
  readonly p95Ms: number
}

/** The change of one callee for the worse since an earlier run. */
export interface RunChange {
  readonly app: string
  /** `"stock" is 3 times slower than yesterday at 17:02 (p95 60 ms, it was 20 ms)`. */
  readonly text: string
}

/** What has become slower, or fails more, since an earlier run; `now` in ms since 1970. */
export function changesSince(run: KeptRun, before: KeptRun, now: number): readonly RunChange[] {
  const earlier = figuresOf(before)
  const when = whenText(Date.parse(before.startedAt), now)
  return [...figuresOf(run)].flatMap(([app, {calls, failed, p95Ms}]): readonly RunChange[] => {
    const old = earlier.get(app)
    if (old === undefined || calls < MIN_CALLS || old.calls < MIN_CALLS) return []
    const ratio = p95Ms / Math.max(0.1, old.p95Ms)
    const slower = ratio >= MIN_RATIO && p95Ms - old.p95Ms >= MIN_MORE_MS
    const [share, oldShare] = [failed / calls, old.failed / old.calls]
    const times = `${Number(ratio.toFixed(ratio < 3 ? 1 : 0))} times`
    const figures = `p95 ${durationText(p95Ms)}, it was ${durationText(old.p95Ms)}`
    return [
      ...(slower ? [{app, text: `"${app}" is ${times} slower than ${when} (${figures})`}] : []),
      ...(share - oldShare >= MIN_SHARE
        ? [{app, text: `${percent(share)} of the calls to "${app}" fail, ${when} ${percent(oldShare)} did`}]
        : [])
    ]
  })
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

function figuresOf({edges}: KeptRun): ReadonlyMap<string, Figures> {
  const all = new Map<string, Figures>()
  for (const {to, calls, failed, p95Ms} of edges) {
    const known = all.get(to)
    all.set(to, {
      calls: calls + (known?.calls ?? 0),
      failed: failed + (known?.failed ?? 0),
      p95Ms: Math.max(p95Ms, known?.p95Ms ?? 0)
    })
  }
  return all
}

/** `today at 17:02`, `yesterday at 17:02`, `on 2026-01-30 at 17:02`; local time. */
export function whenText(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  const yesterday = new Date(now)
  yesterday.setDate(today.getDate() - 1)
  const time = date.toTimeString().slice(0, 5)
  if (date.toDateString() === today.toDateString()) return `today at ${time}`
  if (date.toDateString() === yesterday.toDateString()) return `yesterday at ${time}`
  const [month, day] = [date.getMonth() + 1, date.getDate()].map(part => part.toString().padStart(2, '0'))
  return `on ${date.getFullYear()}-${month}-${day} at ${time}`
}

/** `, since 4 commits`: what lies between two commits; '' = nothing, or it is not known. */
export async function commitsText(template: string, from: string, to: string): Promise<string> {
  if (from === '' || to === '' || from === to) return ''
  const {why, last} = await runLines(['git', 'rev-list', '--count', `${from}..${to}`, '--'], {
    folder: dirname(template)
  })
  const count = Number(last)
  if (why !== '' || !(count > 0)) return ', at another commit'
  return `, since ${count} ${count === 1 ? 'commit' : 'commits'}`
}

/** What is worse in the latest run than in the one before it, in sentences. */
export async function comparison(
  runs: readonly KeptRun[],
  {template, now}: {template: string; now: number}
): Promise<readonly RunChange[]> {
  const [before, run] = runs.slice(-2)
  if (before === undefined || run === undefined) return []
  const commits = await commitsText(template, before.commit, run.commit)
  return changesSince(run, before, now).map(({app, text}) => ({app, text: `${text}${commits}`}))
}
