import {failureOf} from './failure.ts'
import {eventsOf, msOf, type TurnAnswer, type Event} from './messages.ts'
import {FAILED, statusName} from './status.ts'
import type {LiveInstance} from './work-items.ts'

/* Values of StalledReason (orchestrator_service.proto). */
const PATCH_MISMATCH = 0
const VERSION_NOT_AVAILABLE = 1
/** Reason that only Pillion has: the steps of the code differ from the history. Its description explains it to users. */
const CODE_CHANGED = 3
/** Reason that only Pillion has: the worker's answer cannot be read. */
const UNREADABLE = 4

/** Why an instance cannot continue with the code of the worker that has answered. */
export interface Stall {
  readonly reason: number
  readonly description: string
}

/** Matches errors of code that does not fit the history: names of the SDKs' errors, or the message of Go's SDK. */
const NON_DETERMINISM = /NonDeterminis|a previous execution called/i
const STEP = /\bID=(\d+)|sequence number (\d+)/i

/**
 * Returns the stall if the worker lacks the version or a patch of the history; undefined: it has them. `patches`, those of the history, must
 * be a prefix of the answer's (Dapr: pkg/actors/targets/workflow/orchestrator/versioning.go).
 */
export function versionStall({actions, version}: TurnAnswer, patches: readonly string[]): Stall | undefined {
  if (actions.some(({versionNotAvailable}) => versionNotAvailable !== undefined))
    return {reason: VERSION_NOT_AVAILABLE, description: `Version not available: ${version?.name ?? ''}`}
  const current = version?.patches ?? []
  if (patches.every((patch, index) => patch === current[index])) return undefined
  const description = `Patch mismatch. History patches: [${patches.join(', ')}], current patches: [${current.join(', ')}]. `
  return {reason: PATCH_MISMATCH, description}
}

/** Returns the stall if changed code (`isOtherCode`) no longer fits the history. For unchanged code only warns: the instance fails, as with Dapr. */
export function codeStall(
  {instance: {app, name, id}, history}: LiveInstance,
  answer: TurnAnswer,
  isOtherCode: boolean,
  warn: (app: string, text: string) => void
): Stall | undefined {
  const text = mismatchText(answer, history)
  if (text === undefined) return undefined
  const description = `${text}. Undo the change; or, once it is over: pillion workflow rerun ${id}, or purge ${id}`
  if (isOtherCode) return {reason: CODE_CHANGED, description}
  warn(app, `workflow '${name}' '${id}' ${description}`)
  return undefined
}

/** Returns the stall after an unreadable answer: the worker would repeat it. */
export const unreadableStall = ({message}: Error): Stall => ({
  reason: UNREADABLE,
  description: `the answer of its worker cannot be read: ${message}`
})

/** Explains a failed answer if the code no longer fits the history; undefined: not failed, or for another reason. */
export function mismatchText({actions}: TurnAnswer, history: readonly Uint8Array[]): string | undefined {
  const complete = actions.findLast(action => action.complete !== undefined)?.complete
  if (complete?.status !== FAILED) return undefined
  const {type, message} = failureOf(complete.failureDetails)
  if (!NON_DETERMINISM.test(type) && !NON_DETERMINISM.test(message)) return undefined
  const [, first, second = first] = STEP.exec(message) ?? []
  const step = second === undefined ? undefined : stepOf(history, Number(second))
  const place = step === undefined ? '' : `: ${step}; the code no longer calls it there`
  return `does not replay${place}. It changed under a running instance. Its worker says: ${message.split('\n', 1)[0] ?? ''}`
}

function stepOf(history: readonly Uint8Array[], id: number): string | undefined {
  const event = eventsOf(history).find(({eventId}) => eventId === id)
  if (event === undefined) return undefined
  const at = event.timestamp && new Date(msOf(event.timestamp)).toISOString().slice(11, 19)
  return `step ${id} was ${doneStepOf(event)?.what ?? ''} (${at ?? ''})`
}

/** A step of a turn, recorded or of the current code, for comparisons. */
export interface DoneStep {
  /** The id of its event; undefined: it is the end of the workflow. */
  readonly id: number | undefined
  /** For example `activity 'charge'`. */
  readonly what: string
  /** Its input, or the output of the workflow; undefined: none, or not compared. */
  readonly payload: string | undefined
}

/** Returns the step of a history event; undefined: the event is not an action of the code. */
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

/** Returns the end of an instance, or of a round that continues as new. Treats '' as no output, since SDKs send both. */
export const endStep = (status: string, payload: string | undefined): DoneStep => ({
  id: undefined,
  what: `the end (${status.toLowerCase()})`,
  payload: payload || undefined
})

/** Describes the first difference between the recorded steps and those of the code; '': none. */
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
