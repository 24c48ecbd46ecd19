import {failureOf} from './failure.ts'
import type {Event} from './messages.ts'
import {FAILED, statusName} from './status.ts'

/** A recorded step of a turn. */
export interface DoneStep {
  /** The id of its event; undefined: it is the end of the workflow. */
  readonly id: number | undefined
  /** For example `activity 'charge'`. */
  readonly what: string
  /** Its input, or the output of the workflow. Undefined if it is not compared. */
  readonly payload: string | undefined
}

/** Returns the step of a history's event. Undefined for an event from outside. */
export function doneStepOf(event: Event): DoneStep | undefined {
  const {eventId: id = 0, taskScheduled, timerCreated, childCreated, detachedCreated, eventSent} = event
  if (taskScheduled !== undefined) {
    const app = event.router?.targetAppID ?? ''
    const what = `activity '${taskScheduled.name}'${app === '' ? '' : ` in ${app}`}`
    return {id, what, payload: taskScheduled.input?.value}
  }
  if (childCreated !== undefined) {
    const {name, instanceId, input} = childCreated
    return {id, what: `workflow '${name}' '${instanceId}'`, payload: input?.value}
  }
  if (timerCreated !== undefined) return {id, what: 'a timer', payload: undefined}
  if (detachedCreated !== undefined)
    return {id, what: `workflow '${detachedCreated.instanceId}', detached`, payload: undefined}
  if (eventSent !== undefined)
    return {id, what: `event '${eventSent.name}' to '${eventSent.instanceId}'`, payload: eventSent.input?.value}
  if (event.executionCompleted === undefined) return undefined
  const {status, result, failureDetails} = event.executionCompleted
  const payload = status === FAILED ? failureOf(failureDetails).message : result?.value
  return endStep(statusName(status), payload)
}

/** Returns the end of an instance, or of one round before it continues as new. SDKs send no output as an empty one, too. */
export const endStep = (status: string, payload: string | undefined): DoneStep => ({
  id: undefined,
  what: `the end (${status.toLowerCase()})`,
  payload: payload || undefined
})

/** Describes the first difference between the recorded steps and those of the code; '' without one. */
export function differenceOf(did: readonly DoneStep[], does: readonly DoneStep[]): string {
  for (const was of did) {
    const now = does.find(({id}) => id === was.id)
    const place = was.id === undefined ? was.what : `step ${was.id} was ${was.what}`
    if (now === undefined) return `${place}; the code does not do that any more`
    if (now.what !== was.what) return `${place}; the code has ${whole(now)} there`
    if (now.payload !== was.payload)
      return `${place}; the code gives it another ${was.id === undefined ? 'result' : 'input'}`
  }
  const fresh = does.find(({id}) => did.every(was => was.id !== id))
  return fresh === undefined ? '' : `the code has ${whole(fresh)} there, which is new`
}

const whole = ({id, what, payload = ''}: DoneStep): string =>
  id === undefined && payload !== '' ? `${what}: ${payload}` : what
