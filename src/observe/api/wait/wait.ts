// observe/api/wait/ waits for conditions of a run: apps are ready, the run is idle, a line was written. `pillion wait`
// uses the API; other parts of this process call `waitFor`.
import type * as Api from '../../../model/api.generated.ts'
import type {Condition, WaitCheck, Standing} from './condition.ts'
import {exitCheck, readyCheck, reloadedCheck, callsCheck, workflowCheck} from './checks.ts'
import {readIgnored, type IsIgnored} from './ignored-calls.ts'
import {IdleCheck} from './idle-check.ts'
import {logCheck} from './log-check.ts'
import {pause} from '../../../platform/delay.ts'
import {noSuchApp} from '../apps.ts'
import {ApiProblem} from '../problem.ts'
import {appsCalled, type EventTimes, type Since, type WaitContext} from './wait-context.ts'

export interface WaitOptions {
  readonly conditions: readonly Condition[]
  readonly isAny?: boolean
  readonly timeoutMs: number
  /** Calls that idleness does not count: `GET /poll*`. */
  readonly ignore?: readonly string[]
  /** The past that counts for conditions about events: since the start of the run, from now on, or after an event. */
  readonly from?: 'start' | 'now' | number
  /** Aborted when the caller disconnects. */
  readonly signal?: AbortSignal
}

/** Time between two checks of the conditions, in ms. Each event of the run causes a check, too. */
const LOOK_MS = 10

/** Waits until the conditions are met, or one cannot be met any more. Rejects with an ApiProblem for an unknown app or event. */
export async function waitFor(context: WaitContext, options: WaitOptions): Promise<Api.Waited> {
  const {conditions, isAny = false, timeoutMs, ignore = [], from = 'start', signal} = options
  const startedAt = performance.now()
  const events = await context.events()
  const since = sinceOf(from, events, context)
  const isIgnored = readIgnored(ignore)
  for (const condition of conditions) refuseUnknown(context, condition)
  const checks: WaitCheck[] = []
  const over = AbortSignal.any([context.ended, ...(signal === undefined ? [] : [signal])])
  let standings: readonly Standing[] = []
  let outcome: Api.Waited['outcome'] | undefined
  let news = new AbortController()
  const wake = (): void => news.abort()
  over.addEventListener('abort', wake)
  const stop = context.onEvent(wake)
  try {
    for (const condition of conditions) checks.push(checkOf(context, condition, {since, isIgnored}))
    while (outcome === undefined) {
      const now = performance.now()
      standings = await Promise.all(checks.map(async check => check.look(now)))
      outcome = outcomeOf(standings, isAny)
      if (outcome !== undefined) break
      if (over.aborted) {
        outcome = 'impossible'
        standings = standings.map(each => (each.state === 'met' ? each : ended(each)))
      } else if (now - startedAt >= timeoutMs) outcome = 'timeout'
      else await pause(Math.min(LOOK_MS, timeoutMs - (now - startedAt)), news.signal)
      news = new AbortController()
      // the change that an event announces happens in the next turn of the event loop
      await new Promise(setImmediate)
    }
    const views = standings.map((standing, index) => viewOf(context, conditions[index], standing))
    return {
      outcome,
      id: events.mark(),
      tookMs: Math.round(performance.now() - startedAt),
      conditions: views,
      notes: notesOf(checks)
    }
  } finally {
    stop()
    over.removeEventListener('abort', wake)
    for (const check of checks) check.close?.()
  }
}

const ended = ({reason, apps = []}: Standing): Standing => ({
  state: 'impossible',
  reason: `the run has ended; ${reason}`,
  apps
})

function outcomeOf(standings: readonly Standing[], isAny: boolean): 'met' | 'impossible' | undefined {
  const count = (state: Standing['state']): number => standings.filter(each => each.state === state).length
  if (isAny ? count('met') > 0 : count('met') === standings.length) return 'met'
  return (isAny ? count('impossible') === standings.length : count('impossible') > 0) ? 'impossible' : undefined
}

function sinceOf(from: 'start' | 'now' | number, {timeOf}: EventTimes, {runLog}: WaitContext): Since {
  if (from === 'start') return {at: -Infinity, time: 0, place: 0}
  if (from === 'now') return {at: performance.now(), time: 0, place: runLog.next}
  const since = timeOf(from)
  if (since !== undefined) return since
  throw new ApiProblem(
    400,
    `event ${String(from)} is no longer kept, or is not from this run`,
    'Give the id that the last wait has answered, "now", or nothing.'
  )
}

function refuseUnknown({apps, whyAbsent}: WaitContext, condition: Condition): void {
  if (!('app' in condition) || appsCalled(apps(), condition.app).length > 0 || condition.app === '') return
  const why = whyAbsent(condition.app)
  if (why !== '') throw new ApiProblem(404, `the run has no app "${condition.app}"`, why)
  const known = apps().map(({id}) => ({id}))
  throw noSuchApp(known, {id: condition.app, version: ''})
}

function checkOf(
  context: WaitContext,
  condition: Condition,
  {since, isIgnored}: {since: Since; isIgnored: IsIgnored | undefined}
): WaitCheck {
  switch (condition.kind) {
    case 'ready':
      return readyCheck(context, condition.app)
    case 'exit':
      return exitCheck(context, condition.app, since)
    case 'reloaded':
      return reloadedCheck(context, condition.app, since)
    case 'idle':
      return new IdleCheck(context, condition.spanMs, isIgnored)
    case 'calls':
      return callsCheck(context, condition, since)
    case 'log':
      return logCheck(context, condition, since)
    case 'workflow':
      return workflowCheck(context, condition)
  }
}

const viewOf = (
  {lastLine}: WaitContext,
  condition: Condition | undefined,
  {state, reason, apps = []}: Standing
): Api.WaitedCondition => ({
  condition: condition?.text ?? '',
  state,
  reason,
  apps: apps.map(({name, home, reason: why}) => ({app: name, reason: why, lastLine: lastLine(home)}))
})

function notesOf(checks: readonly WaitCheck[]): readonly string[] {
  const unseen = checks.flatMap(check => (check instanceof IdleCheck ? check.unseen : []))
  const named = unseen.map(({pubsubName, type}) => `${pubsubName} (${type})`)
  return [...new Set(named)].map(name => `idle does not see messages that wait at the broker of ${name}`)
}
