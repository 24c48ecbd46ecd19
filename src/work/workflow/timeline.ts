import {failureOf} from './failure.ts'
import {eventOfTimer, msOf, NEVER, type Event} from './messages.ts'
import {FAILED, statusName} from './status.ts'

/** A step of a workflow in its timeline, finished or open. Times are in ms since 1970. */
export interface Step {
  readonly kind: 'start' | 'activity' | 'child' | 'timer' | 'event' | 'suspended' | 'end'
  /** Id of the history event that scheduled the latest try; −1: the workflow's code has not scheduled the step. */
  id: number
  /** Name of the activity, child, event or timer. A start has the workflow's name, a suspension its reason. */
  readonly name: string
  readonly app: string
  /** Id of the child's instance, or of an event's receiver; '': neither. */
  readonly instance: string
  readonly startedAt: number
  endedAt: number | undefined
  state: StepState
  tries: number
  readonly inputBytes: number
  outputBytes: number
  /** When a timer fires, a wait for an event times out, or a failed activity is retried; undefined: not planned. */
  until: number | undefined
  failure: string
}

/** `late`: the event did not arrive in time. `dropped`: the workflow ended before the step. `skipped`: a timer fired before its time. */
type StepState = 'waits' | 'done' | 'failed' | 'late' | 'dropped' | 'skipped'

/** Lists the steps of an instance, in the order of their starts. `dues`: times of its open timers, by event id; a skip changes them. */
export function timelineOf(
  history: readonly Event[],
  app: string,
  dues: ReadonlyMap<number, number> = new Map()
): readonly Step[] {
  const timeline = new Timeline(app, dues)
  for (const event of history) timeline.add(event)
  return timeline.steps
}

class Timeline {
  readonly steps: Step[] = []
  readonly #app: string
  /** Steps without a result, by event id. */
  readonly #open = new Map<number, Step>()
  /** Activities, by the id that all their tries share. */
  readonly #tried = new Map<string, Step>()
  /** Waits for events. */
  readonly #awaiting = new Set<Step>()
  #suspension: Step | undefined
  readonly #dues: ReadonlyMap<number, number>

  constructor(app: string, dues: ReadonlyMap<number, number>) {
    this.#app = app
    this.#dues = dues
  }

  add(event: Event): void {
    const at = event.timestamp === undefined ? 0 : msOf(event.timestamp)
    const id = event.eventId ?? -1
    const app = (event.router?.targetAppID ?? '') || this.#app
    if (event.executionStarted !== undefined) {
      const {name, input} = event.executionStarted
      this.#point({kind: 'start', id: -1, name, at, inputBytes: sizeOf(input)})
    } else if (event.taskScheduled !== undefined) this.#schedule(event.taskScheduled, {id, at, app})
    else if (event.childCreated !== undefined) {
      const {name, input, instanceId: instance} = event.childCreated
      this.#begin({kind: 'child', id, name, at, app, instance, inputBytes: sizeOf(input)})
    } else if (event.detachedCreated !== undefined)
      this.#point({kind: 'child', id, name: 'detached', at, app, instance: event.detachedCreated.instanceId})
    else if (event.timerCreated !== undefined) this.#setTimer(event.timerCreated, id, at)
    else if (event.eventSent !== undefined) {
      const {name, instanceId, input} = event.eventSent
      this.#point({kind: 'event', id, name, at, instance: instanceId, inputBytes: sizeOf(input)})
    } else this.#addResult(event, at)
  }

  #addResult(event: Event, at: number): void {
    const done = event.taskCompleted ?? event.childCompleted
    const failed = event.taskFailed ?? event.childFailed
    if (done !== undefined) this.#end(done.taskScheduledId, at, {outputBytes: sizeOf(done.result)})
    else if (failed !== undefined)
      this.#end(failed.taskScheduledId, at, {state: 'failed', failure: failureOf(failed.failureDetails).message})
    else if (event.timerFired !== undefined) {
      const {timerId, isSkipped} = event.timerFired
      const isEvent = this.#open.get(timerId)?.kind === 'event'
      this.#end(timerId, at, {state: isEvent ? 'late' : isSkipped ? 'skipped' : 'done'})
    } else if (event.eventRaised !== undefined) this.#raise(event.eventRaised, at)
    else if (event.executionSuspended !== undefined) {
      const name = event.executionSuspended.input?.value ?? ''
      this.#suspension ??= this.#begin({kind: 'suspended', id: -1, name, at})
    } else if (event.executionResumed !== undefined) {
      if (this.#suspension !== undefined) close(this.#suspension, at, {})
      this.#suspension = undefined
    } else if (event.executionCompleted !== undefined) this.#complete(event.executionCompleted, at)
  }

  /** Adds an activity, or a retry to its step. */
  #schedule(
    {name, input, taskExecutionId}: NonNullable<Event['taskScheduled']>,
    {id, at, app}: {readonly id: number; readonly at: number; readonly app: string}
  ): void {
    const before = taskExecutionId === '' ? undefined : this.#tried.get(taskExecutionId)
    if (before === undefined) {
      const step = this.#begin({kind: 'activity', id, name, at, app, inputBytes: sizeOf(input)})
      if (taskExecutionId !== '') this.#tried.set(taskExecutionId, step)
      return
    }
    this.#open.set(id, before)
    Object.assign(before, {id, tries: before.tries + 1, state: 'waits', endedAt: undefined, until: undefined})
  }

  #setTimer(timer: NonNullable<Event['timerCreated']>, id: number, at: number): void {
    const fireAt = timer.fireAt === undefined ? at : msOf(timer.fireAt)
    const until = fireAt < NEVER ? (this.#dues.get(id) ?? fireAt) : undefined
    const again = timer.activityRetry && this.#tried.get(timer.activityRetry.value)
    if (again !== undefined) return void Object.assign(again, {state: 'waits', endedAt: undefined, until})
    const event = eventOfTimer(timer)
    const step = this.#begin({kind: event === '' ? 'timer' : 'event', id, name: event || timer.name, at, until})
    if (event !== '') this.#awaiting.add(step)
  }

  #raise({name, input}: NonNullable<Event['eventRaised']>, at: number): void {
    let step: Step | undefined
    for (const each of this.#awaiting)
      if (each.state !== 'waits') this.#awaiting.delete(each)
      else if (each.name.toLowerCase() === name.toLowerCase()) step ??= each
    if (step === undefined) this.#point({kind: 'event', id: -1, name, at, inputBytes: sizeOf(input)})
    else close(step, at, {outputBytes: sizeOf(input)})
  }

  #complete({status, result, failureDetails}: NonNullable<Event['executionCompleted']>, at: number): void {
    for (const step of this.steps) if (step.state === 'waits') close(step, at, {state: 'dropped'})
    const step = this.#point({kind: 'end', id: -1, name: statusName(status), at})
    const isFailed = failureDetails.length > 0 || status === FAILED
    Object.assign(step, {
      outputBytes: sizeOf(result),
      state: isFailed ? 'failed' : 'done',
      failure: failureOf(failureDetails).message
    })
  }

  #begin(begun: Begun): Step {
    const {kind, id, name, at, app = this.#app, instance = '', inputBytes = 0, until} = begun
    const shared = {kind, id, name, app, instance, startedAt: at, inputBytes, until}
    const step: Step = {...shared, endedAt: undefined, state: 'waits', tries: 1, outputBytes: 0, failure: ''}
    this.steps.push(step)
    if (id >= 0) this.#open.set(id, step)
    return step
  }

  /** Adds a step without a duration. */
  #point(begun: Begun): Step {
    const step = this.#begin(begun)
    close(step, begun.at, {})
    return step
  }

  #end(id: number, at: number, came: Partial<Step>): void {
    const step = this.#open.get(id)
    this.#open.delete(id)
    if (step !== undefined) close(step, at, came)
  }
}

interface Begun extends Pick<Step, 'kind' | 'id' | 'name'> {
  readonly at: number
  readonly app?: string
  readonly instance?: string
  readonly inputBytes?: number
  readonly until?: number | undefined
}

const close = (step: Step, at: number, came: Partial<Step>): void =>
  void Object.assign(step, {state: 'done', endedAt: at, ...came})

const sizeOf = (text: {readonly value: string} | undefined): number => Buffer.byteLength(text?.value ?? '')
