import type {Dependency} from '../../model/plan.ts'
import {exitOf, succeeded, type AppState} from '../../model/app-state.ts'
import {endOf} from '../../model/exit-text.ts'

/** The progress of an app, as its dependents wait for it. `hasStarted` and `wasReady` stay true until the app sleeps. */
export interface Progress {
  readonly id: string
  /** Whether the app has a command; false: it has only a sidecar. */
  readonly hasCommand: boolean
  readonly hasStarted: boolean
  readonly wasReady: boolean
  /** Whether the latest exit that nothing requested had code 0. */
  readonly hasCompleted: boolean
  readonly state: AppState
}

/** Returns the progress of an app before its start. */
export const noProgress = (id: string, hasCommand: boolean): Progress => ({
  id,
  hasCommand,
  hasStarted: false,
  wasReady: false,
  hasCompleted: false,
  state: {phase: 'idle'}
})

/** Returns the progress of an app that could not be opened. */
export const neverOpened = (id: string): Progress => ({
  ...noProgress(id, true),
  state: {phase: 'exited', exit: undefined, asked: true}
})

/** Returns the progress after a change of state. An app that sleeps has to start again for its dependents. */
export function progressed(before: Progress, state: AppState): Progress {
  const exit = exitOf(state)
  return {
    ...before,
    hasStarted: state.phase !== 'asleep' && (before.hasStarted || isStart(before, state)),
    wasReady: state.phase !== 'asleep' && (before.wasReady || (state.phase === 'running' && state.ready)),
    hasCompleted: exit === undefined ? before.hasCompleted : succeeded(exit),
    state
  }
}

/** Whether a state shows that the app has started. A starting process without a pid could not be spawned. */
const isStart = ({hasCommand}: Progress, state: AppState): boolean =>
  state.phase === 'running' || (state.phase === 'starting' && (state.pid !== undefined || !hasCommand))

/** Result for the dependencies of an app. `why`: completes "it waits until …", or "it depends on …" for `never`. */
export type DependencyState =
  | {readonly kind: 'free'}
  | {readonly kind: 'waits'; readonly why: string; readonly ids: readonly string[]}
  | {readonly kind: 'never'; readonly why: string}

/** Decides whether an app may start, by the progress of its dependencies. Waits for all instances of a dependency. */
export function standingOf(dependencies: readonly Dependency[], all: readonly Progress[]): DependencyState {
  const open = dependencies.flatMap(dependency =>
    all.filter(({id}) => id === dependency.id).flatMap(app => (hasReached(app, dependency) ? [] : [{dependency, app}]))
  )
  const lost = open.find(
    ({app: {state}}) => state.phase === 'exited' || (state.phase === 'asleep' && state.last !== undefined)
  )
  if (lost !== undefined)
    return {
      kind: 'never',
      why: `"${lost.app.id}" ${MILESTONES[lost.dependency.until].goal}, but "${lost.app.id}" ${fateOf(lost.app)}`
    }
  if (open.length === 0) return {kind: 'free'}
  return {
    kind: 'waits',
    why: [...new Set(open.map(({dependency}) => reachedText(dependency)))].join(' and '),
    ids: [...new Set(open.map(({dependency}) => dependency.id))]
  }
}

/** Whether an app has reached the condition of a dependency. */
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

const MILESTONES = {
  started: {reached: 'has started', goal: 'starting'},
  ready: {reached: 'is ready', goal: 'becoming ready'},
  completed: {reached: 'has exited with code 0', goal: 'completing'}
} as const

const reachedText = ({id, until}: Dependency): string => `"${id}" ${MILESTONES[until].reached}`

/** Returns how an app ended that has not reached the condition. */
function fateOf({state, hasStarted}: Progress): string {
  const exit = state.phase === 'backoff' ? undefined : exitOf(state)
  if (exit !== undefined) return endOf(exit)
  return hasStarted ? 'was stopped' : 'was not started'
}
