import {randomUUID} from 'node:crypto'
import {decode, DecodeError, encode} from '../../../proxy/net/grpc/message-codec.ts'
import {
  ALREADY_EXISTS,
  INTERNAL,
  INVALID_ARGUMENT,
  NOT_FOUND,
  PERMISSION_DENIED,
  UNIMPLEMENTED,
  UNKNOWN,
  type GrpcStatus
} from '../../../proxy/net/grpc/status.ts'
import {stallsOf} from '../failure.ts'
import {ACTIVITY_ANSWER, msOf, NO_BYTES, splitEvents, textOf, timeOf, TURN_ANSWER, type Event} from '../messages.ts'
import {WriteFault} from '../../work-file.ts'
import type {Instance} from '../instance.ts'
import {isTerminal, PENDING, RUNNING, STALLED, SUSPENDED} from '../status.ts'
import {stalledInstance, WorkflowError, type Refusal} from '../workflow-error.ts'
import type {Workflows} from '../workflows.ts'
import {
  FOUND_INSTANCE,
  GET_INSTANCE,
  HISTORY,
  INSTANCE_ID,
  LIST,
  LISTED,
  PURGE,
  PURGED,
  RAISE_EVENT,
  RERUN,
  START_INSTANCE,
  TELL
} from './hub-messages.ts'
import {ownOf} from '../../../model/own.ts'

/** The caller: the app of the sidecar, and a way to hear that it has disconnected. */
export interface HubCaller {
  readonly app: string
  readonly onGone: (listener: () => void) => void
  /** The traceparent of the call; '' = it has none. */
  readonly trace: string
}

type Answer = Uint8Array | GrpcStatus
type Method = (workflows: Workflows, message: Uint8Array, caller: HubCaller) => Promise<Answer>

const MAX_PAGE = 1000

/** The unary methods of durabletask's TaskHubSidecarService (durabletask-go: backend/executor.go). */
const METHODS: Readonly<Record<string, Method>> = {
  Hello: async () => Promise.resolve(NO_BYTES),
  StartInstance: async (workflows, message, {app, onGone, trace: own}) => {
    const {instanceId: id, name, input, scheduledStart, trace} = decode(START_INSTANCE, message)
    const startAt = scheduledStart && msOf(scheduledStart)
    const parent = trace?.traceParent || own
    const instance = await workflows.start(app, {id, name, input: input?.value, startAt, trace: parent})
    if (startAt === undefined) await workflows.until(instance, ({status}) => status !== PENDING, onGone)
    return encode(INSTANCE_ID, {instanceId: id})
  },
  GetInstance: async (workflows, message, {app}) => {
    const {instanceId, withPayloads} = decode(GET_INSTANCE, message)
    await workflows.settled()
    return found(workflows.find(app, instanceId), withPayloads)
  },
  WaitForInstanceStart: waitFor(({status}) => status !== PENDING),
  WaitForInstanceCompletion: waitFor(({status}) => isTerminal(status)),
  RaiseEvent: async (workflows, message, {app}) => {
    const {instanceId, name, input} = decode(RAISE_EVENT, message)
    await workflows.tell(app, instanceId, 'event', {eventRaised: {name, input}})
    return NO_BYTES
  },
  SuspendInstance: tell('suspend', SUSPENDED, input => ({executionSuspended: {input}})),
  ResumeInstance: tell('resume', RUNNING, input => ({executionResumed: {input}})),
  TerminateInstance: tell('terminate', undefined, (input, recurse) => ({executionTerminated: {input, recurse}})),
  PurgeInstances: async (workflows, message, {app}) => {
    const {instanceId, filter, isRecursive, isForced} = decode(PURGE, message)
    if (filter !== undefined) return {code: UNKNOWN, message: 'multi-instance purge is not unimplemented'}
    return encode(PURGED, {count: await workflows.purge(app, instanceId, {isRecursive, isForced})})
  },
  RerunWorkflowFromEvent: async (workflows, message, {app}) => {
    const {source: id, eventId, newId = randomUUID(), input, isOverwritten, newChildId} = decode(RERUN, message)
    if (id === '') return {code: INVALID_ARGUMENT, message: 'rerun workflow source instance ID is required'}
    const fresh = isOverwritten ? {text: input?.value} : undefined
    await workflows.rerun(app, {id, eventId, newId, input: fresh, newChildId})
    return encode(INSTANCE_ID, {instanceId: newId})
  },
  ListInstanceIDs: async (workflows, message, {app}) => {
    const {continuationToken, pageSize} = decode(LIST, message)
    const count = Math.min(pageSize > 0 ? pageSize : MAX_PAGE, MAX_PAGE)
    await workflows.settled()
    const rows = workflows.list(app, Number(continuationToken) || 0, count)
    const next = rows.length < count ? '' : String(rows.at(-1)?.key)
    return encode(LISTED, {instanceIds: rows.map(({id}) => id), continuationToken: next})
  },
  GetInstanceHistory: async (workflows, message, {app}) => {
    const {instanceId: id} = decode(INSTANCE_ID, message)
    await workflows.settled()
    const instance = workflows.find(app, id)
    if (instance === undefined) return {code: NOT_FOUND, message: `workflow instance '${id}' not found`}
    return encode(HISTORY, {events: [...workflows.history(instance).flatMap(splitEvents), ...stallsOf(instance)]})
  },
  CompleteWorkflowTask: completeTurn,
  CompleteOrchestratorTask: completeTurn,
  CompleteActivityTask: async (workflows, message, {app}) => {
    await workflows.completeActivity(app, decode(ACTIVITY_ANSWER, message))
    return NO_BYTES
  }
}

const FAILED: Readonly<Record<string, string>> = {
  StartInstance: 'failed to create workflow instance: rpc error: code = AlreadyExists desc = ',
  TerminateInstance: 'failed to submit termination request: ',
  PurgeInstances: 'failed to purge workflow state: '
}

const CODES: Readonly<Record<Refusal, number>> = {
  active: ALREADY_EXISTS,
  unknown: UNKNOWN,
  'not over': UNKNOWN,
  'not found': NOT_FOUND,
  invalid: INVALID_ARGUMENT,
  taken: ALREADY_EXISTS,
  stalled: UNKNOWN,
  denied: PERMISSION_DENIED
}

/** Serves a unary method; refusals are gRPC statuses, as are messages that cannot be read and a file that cannot be written. */
export async function callHub(
  workflows: Workflows,
  name: string,
  message: Uint8Array,
  caller: HubCaller
): Promise<Answer> {
  // a caller may ask for `toString`, which every object has
  const method = ownOf(METHODS, name)
  if (method === undefined)
    return {code: UNIMPLEMENTED, message: `unknown method ${name} for service TaskHubSidecarService`}
  try {
    return await method(workflows, message, caller)
  } catch (error) {
    if (error instanceof DecodeError || error instanceof WriteFault) return {code: INTERNAL, message: error.message}
    if (!(error instanceof WorkflowError)) throw error
    return {code: CODES[error.refusal], message: (ownOf(FAILED, name) ?? '') + error.message}
  }
}

async function completeTurn(workflows: Workflows, message: Uint8Array, {app}: HubCaller): Promise<Answer> {
  await workflows.completeTurn(app, decode(TURN_ANSWER, message))
  return NO_BYTES
}

function waitFor(isMet: (instance: Instance) => boolean): Method {
  return async (workflows, message, {app, onGone}) => {
    const {instanceId, withPayloads} = decode(GET_INSTANCE, message)
    const instance = await workflows.appeared(app, instanceId, onGone)
    return found(await workflows.until(instance, isMet, onGone), withPayloads)
  }
}

/** Sends an instance an event, and waits until the instance has that status, is over, or has heard of it. */
function tell(
  kind: 'suspend' | 'resume' | 'terminate',
  wanted: number | undefined,
  event: (text: {readonly value: string} | undefined, isRecursive: boolean) => Event
): Method {
  return async (workflows, message, {app, onGone}) => {
    const {instanceId, text, isRecursive} = decode(TELL, message)
    const instance = await workflows.tell(app, instanceId, kind, event(text, isRecursive))
    const now = await workflows.until(instance, each => workflows.hasHeard(each, wanted), onGone)
    if (now?.status === STALLED && !workflows.hasHeard(now, undefined)) throw stalledInstance(instanceId)
    return NO_BYTES
  }
}

function found(instance: Instance | undefined, withPayloads: boolean): Uint8Array {
  if (instance === undefined) return NO_BYTES
  const {id, name, version, status, created, updated, started, parent} = instance
  const {input, output, customStatus, failure} = instance
  // an instance that has not started has no name yet
  const isPending = status === PENDING
  return encode(FOUND_INSTANCE, {
    exists: true,
    state: {
      instanceId: id,
      name: isPending ? '' : name,
      version: textOf(version),
      status,
      created: timeOf(created),
      updated: timeOf(updated),
      input: withPayloads && !isPending ? textOf(input) : undefined,
      output: withPayloads ? textOf(output) : undefined,
      customStatus: withPayloads ? textOf(customStatus) : undefined,
      failureDetails: withPayloads ? (failure ?? NO_BYTES) : NO_BYTES,
      parentInstanceId: textOf(parent?.id),
      parentAppId: textOf(parent?.app),
      started: started === undefined ? undefined : timeOf(started)
    }
  })
}
