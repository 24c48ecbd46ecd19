import {compileGlob} from '../../model/glob.ts'
import type {AppPlan, ReadyPlan, StopPlan, WatchPlan} from '../../model/plan.ts'
import type {Duration} from './keys.ts'
import type {AppKey, Settings} from './merge.ts'
import {isList} from '../../model/is-object.ts'
import {ownOf} from '../../model/own.ts'

const READY_TIMEOUT_MS = 60_000
const GRACE_MS = 5_000
const UNIT_MS: Readonly<Record<string, number>> = {ms: 1, s: 1_000, m: 60_000}
/** Maximum number of days: Node's timers take at most 2^31 - 1 ms, which are 24.8 days, and fire at once beyond. */
const MAX_DAYS = 24
const MAX_MS = MAX_DAYS * 86_400_000

/** Converts `250ms`, `5s`, `2m`, or seconds to milliseconds. The schema has checked the form. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number') return Math.round(duration * 1000)
  const [, amount = '0', unit = 's'] = /^([0-9.]+)(ms|s|m)?$/.exec(duration) ?? []
  return Math.round(Number(amount) * (ownOf(UNIT_MS, unit) ?? 0))
}

/** Returns a time in ms that a timer can wait. Refuses a longer time at its place. */
export function checkedTime(ms: number, settings: Settings, key: AppKey, ...inside: readonly string[]): number {
  if (ms <= MAX_MS) return ms
  const name = [key, ...inside].join('.')
  const expected = `expected at most ${MAX_DAYS} days`
  return settings.refuse({key, inside, message: `${name} is longer than ${MAX_DAYS} days`, expected})
}

/** The port to probe for readiness (0: allocated later), or none. */
type ServedPort = number | 'none'

/**
 * Plans when the app is ready: as `ready` says, otherwise when its port accepts, otherwise when it has been spawned. An app with
 * `http` of its own must have a port; `http` in `common` is ignored for apps without one.
 */
export function readyPlan(settings: Settings, served: ServedPort): ReadyPlan {
  const {ready = {}} = settings.values
  if (ready === 'none') return {kind: 'spawned', timeoutMs: READY_TIMEOUT_MS}
  const {http, tcp, log, command, timeout} = ready
  const timeoutMs =
    timeout === undefined ? READY_TIMEOUT_MS : checkedTime(milliseconds(timeout), settings, 'ready', 'timeout')
  if (tcp !== undefined) return {kind: 'tcp', port: tcp, timeoutMs}
  if (command !== undefined) return {kind: 'command', command, timeoutMs}
  if (log !== undefined) return {kind: 'log', pattern: checkPattern(log, settings), timeoutMs}
  if (served !== 'none')
    return http === undefined ? {kind: 'tcp', port: served, timeoutMs} : {kind: 'http', path: http, timeoutMs}
  if (http === undefined || !settings.isOwn('ready')) return {kind: 'spawned', timeoutMs}
  const message = 'ready.http needs an appPort'
  const hint = 'write appPort, or autoPort: true'
  return settings.refuse({code: 'conflicting-keys', key: 'ready', inside: ['http'], message, hint})
}

/** Checks a pattern of RE2 with JavaScript's parser, since RE2 is loaded only when an app is waited for. JavaScript lacks two forms: `(?P<name>x)` and `(?i)x`. */
function checkPattern(pattern: string, settings: Settings): string {
  const refuse = (expected: string): never =>
    settings.refuse({key: 'ready', inside: ['log'], message: 'wrong value of ready.log', expected})
  try {
    const {source} = new RegExp(pattern.replaceAll(/\(\?P<|\(\?[imsU-]+\)/g, only => (only === '(?P<' ? '(?<' : '')))
    const beyond = beyondRe2(source)
    return beyond === '' ? pattern : refuse(`expected a regular expression of RE2, without ${beyond}`)
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(`expected a regular expression; ${error.message}`)
    throw error
  }
}

/** Returns the first construct that RE2 does not support since it needs backtracking; empty if there is none. */
function beyondRe2(source: string): string {
  for (const [token, most = '0'] of source.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|\(\?<?[=!]|\{(?:\d+,)?(\d+),?\}/gs)) {
    if (token.startsWith('(')) return 'lookahead and lookbehind'
    if (/^\\[1-9k]$/.test(token)) return 'back references'
    if (Number(most) > 1000) return 'more than 1000 repetitions'
  }
  return ''
}

/** Every file that `.gitignore` does not exclude. */
export const EVERYTHING: WatchPlan = {paths: ['**'], ignore: [], honoursGitignore: true}
const NOTHING: WatchPlan = {paths: [], ignore: [], honoursGitignore: false}

/** Returns the plan of watching, as the template says. */
export function watchPlan(settings: Settings): WatchPlan {
  const {watch = false} = settings.values
  if (typeof watch === 'boolean') return watch ? EVERYTHING : NOTHING
  const {paths, ignore = []} = isList(watch) ? {paths: watch} : watch
  checkGlobs(settings, paths ?? [], isList(watch) ? [] : ['paths'])
  checkGlobs(settings, ignore, ['ignore'])
  return {paths: paths ?? EVERYTHING.paths, ignore, honoursGitignore: paths === undefined}
}

function checkGlobs(settings: Settings, globs: readonly string[], inside: readonly string[]): void {
  for (const [index, glob] of globs.entries())
    try {
      compileGlob(glob, settings.folder)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const expected = 'expected fewer alternatives in braces'
      settings.refuse({key: 'watch', inside: [...inside, index.toString()], message: 'wrong value of watch', expected})
    }
}

/** Plans when the app has no process: before its first call, and after a time without calls. */
export function sleepPlan(settings: Settings, isLazy = false): Pick<AppPlan, 'lazy' | 'idleTimeoutMs'> {
  const {lazy = isLazy, idleTimeout} = settings.values
  return {
    ...(lazy && {lazy: true}),
    ...(idleTimeout !== undefined && {idleTimeoutMs: checkedTime(milliseconds(idleTimeout), settings, 'idleTimeout')})
  }
}

export function stopPlan(settings: Settings): StopPlan {
  const {signal = 'SIGTERM', timeout, first = 'leader', scope = 'all'} = settings.values.stop ?? {}
  const timeoutMs = timeout === undefined ? GRACE_MS : checkedTime(milliseconds(timeout), settings, 'stop', 'timeout')
  return {signal, timeoutMs, first, scope}
}
