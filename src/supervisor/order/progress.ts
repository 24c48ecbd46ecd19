import type {Dependency} from '../../model/plan.ts'
import {succeeded, type AppState} from '../../model/app-state.ts'
import {endOf} from '../messages/why-not-running.ts'

/** How far an app has come. What it has reached once stays reached, whatever becomes of it later. */
export interface Progress {
  readonly id: string
  /** There is a program to start; else a sidecar stands alone. */
  readonly hasCommand: boolean
  readonly hasStarted: boolean
  readonly wasReady: boolean
  /** A process ended by itself and with 0. */
  readonly hasCompleted: boolean
  readonly state: AppState
}

/** The progress of an app that nothing has happened to. */
export const noProgress = (id: string, hasCommand: boolean): Progress => ({
  id,
  hasCommand,
  hasStarted: false,
  wasReady: false,
  hasCompleted: false,
  state: {phase: 'idle'}
})

/** The progress after one more move. */
export const progressed = (before: Progress, state: AppState): Progress => ({
  ...before,
  hasStarted: before.hasStarted || isStart(before, state),
  wasReady: before.wasReady || (state.phase === 'running' && state.ready),
  hasCompleted:
    before.hasCompleted ||
    (state.phase === 'exited' && !state.asked && succeeded(state.exit)) ||
    (state.phase === 'backoff' && succeeded(state.last)),
  state
})

/** A program without a pid could not be spawned. */
const isStart = ({hasCommand}: Progress, state: AppState): boolean =>
  state.phase === 'running' || (state.phase === 'starting' && (state.pid !== undefined || !hasCommand))

/** Where an app stands that depends on others; `why` goes on after "it waits until". */
export type Standing =
  | {readonly kind: 'free'}
  | {readonly kind: 'waits'; readonly why: string; readonly ids: readonly string[]}
  | {readonly kind: 'never'; readonly why: string}

/** Whether an app may start, given how far all apps have come. Where several apps share an id, all of them are meant. */
export function standingOf(dependencies: readonly Dependency[], all: readonly Progress[]): Standing {
  const open = dependencies.flatMap(dependency =>
    all.filter(({id}) => id === dependency.id).flatMap(app => (hasReached(app, dependency) ? [] : [{dependency, app}]))
  )
  const lost = open.find(({app}) => app.state.phase === 'exited')
  if (lost !== undefined)
    return {kind: 'never', why: `${wordsFor(lost.dependency)}, and "${lost.app.id}" ${fateOf(lost.app)}`}
  if (open.length === 0) return {kind: 'free'}
  return {
    kind: 'waits',
    why: [...new Set(open.map(({dependency}) => wordsFor(dependency)))].join(' and '),
    ids: [...new Set(open.map(({dependency}) => dependency.id))]
  }
}

/** Whether an app is, or has been, as far as others wait for. */
export function hasReached({hasStarted, wasReady, hasCompleted}: Progress, {until}: Dependency): boolean {
  switch (until) {
    case 'started':
      return hasStarted
    case 'ready':
      return wasReady
    case 'completed':
      return hasCompleted
  }
}

const WORDS = {started: 'has started', ready: 'is ready', completed: 'has ended with 0'} as const

const wordsFor = ({id, until}: Dependency): string => `"${id}" ${WORDS[until]}`

/** What became of an app that has ended short of what was waited for. */
function fateOf({state, hasStarted}: Progress): string {
  if (state.phase === 'exited' && !state.asked && state.exit !== undefined) return endOf(state.exit)
  return hasStarted ? 'was stopped' : 'was not started'
}
