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
import type {WorkflowOperation} from '../../../model/workflow-settings.ts'
import type {Instance} from '../instance.ts'
import {isTerminal, PENDING, RUNNING, STALLED, SUSPENDED} from '../status.ts'
import {invalidApp, isWorkflowApp, stalledInstance, WorkflowError, type Refusal} from '../workflow-error.ts'
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
  TELL,
  TERMINATE
} from './hub-messages.ts'
import {ownOf} from '../../../model/own.ts'

/** The caller of a method. `app`: the app of its sidecar. `onGone`: registers a listener for its disconnection. */
interface HubCaller {
  readonly app: string
  readonly onGone: (listener: () => void) => void
  /** Traceparent of the call; '': none. */
  readonly trace: string
}

type Answer = Uint8Array | GrpcStatus
type Method = (workflows: Workflows, message: Uint8Array, caller: HubCaller) => Promise<Answer>

const MAX_PAGE = 1000

/** The unary methods of durabletask's TaskHubSidecarService (durabletask-go: backend/executor.go). */
const METHODS: Readonly<Record<string, Method>> = {
  Hello: async () => Promise.resolve(NO_BYTES),
  StartInstance: async (workflows, message, {app: caller, onGone, trace: own}) => {
    const {instanceId: id, name, input, scheduledStart, trace, router} = decode(START_INSTANCE, message)
    const startAt = scheduledStart && msOf(scheduledStart)
    const parent = trace?.traceParent || own
    const app = ownerOf(workflows, caller, {id, router}, 'schedule', name)
    const instance = await workflows.start(app, {id, name, input: input?.value, startAt, trace: parent, caller})
    if (startAt === undefined) await workflows.until(instance, ({status}) => status !== PENDING, onGone)
    return encode(INSTANCE_ID, {instanceId: id})
  },
  GetInstance: async (workflows, message, {app}) => {
    const {instanceId: id, withPayloads, router} = decode(GET_INSTANCE, message)
    await workflows.settled()
    return found(workflows.find(ownerOf(workflows, app, {id, router}, 'get'), id), withPayloads)
  },
  WaitForInstanceStart: waitFor(({status}) => status !== PENDING),
  WaitForInstanceCompletion: waitFor(({status}) => isTerminal(status)),
  RaiseEvent: async (workflows, message, {app}) => {
    const {instanceId: id, name, input, router} = decode(RAISE_EVENT, message)
    await workflows.tell(ownerOf(workflows, app, {id, router}, 'raise'), id, 'event', {eventRaised: {name, input}})
    return NO_BYTES
  },
  SuspendInstance: async (workflows, message, caller) => {
    const {text: input, ...named} = decode(TELL, message)
    return tell(workflows, caller, named, {kind: 'suspend', wanted: SUSPENDED, event: {executionSuspended: {input}}})
  },
  ResumeInstance: async (workflows, message, caller) => {
    const {text: input, ...named} = decode(TELL, message)
    return tell(workflows, caller, named, {kind: 'resume', wanted: RUNNING, event: {executionResumed: {input}}})
  },
  TerminateInstance: async (workflows, message, caller) => {
    const {text: input, isRecursive: recurse, ...named} = decode(TERMINATE, message)
    const event = {executionTerminated: {input, recurse}}
    return tell(workflows, caller, named, {kind: 'terminate', wanted: undefined, event})
  },
  PurgeInstances: async (workflows, message, {app}) => {
    const {instanceId: id, filter, isRecursive, isForced, router} = decode(PURGE, message)
    if (filter !== undefined) return {code: UNKNOWN, message: 'multi-instance purge is not unimplemented'}
    const owner = ownerOf(workflows, app, {id, router}, 'purge')
    return encode(PURGED, {count: await workflows.purge(owner, id, {isRecursive, isForced})})
  },
  RerunWorkflowFromEvent: async (workflows, message, {app}) => {
    const request = decode(RERUN, message)
    const {source: id, eventId, newId = randomUUID(), input, isOverwritten, newChildId, router} = request
    if (id === '') return {code: INVALID_ARGUMENT, message: 'rerun workflow source instance ID is required'}
    const fresh = isOverwritten ? {text: input?.value} : undefined
    const owner = ownerOf(workflows, app, {id, router}, 'rerun')
    await workflows.rerun(owner, {id, eventId, newId, input: fresh, newChildId})
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

/** Prefixes that Dapr adds to the errors of some methods. */
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

/** Serves a unary method. Returns the response, or a gRPC status if the method refuses the request or cannot serve it now. */
export async function callHub(
  workflows: Workflows,
  name: string,
  message: Uint8Array,
  caller: HubCaller
): Promise<Answer> {
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
    const {instanceId: id, withPayloads, router} = decode(GET_INSTANCE, message)
    const instance = await workflows.appeared(ownerOf(workflows, app, {id, router}, 'get'), id, onGone)
    return found(await workflows.until(instance, isMet, onGone), withPayloads)
  }
}

interface Command {
  readonly kind: 'suspend' | 'resume' | 'terminate'
  /** Status after the command; undefined: the instance ends. */
  readonly wanted: number | undefined
  readonly event: Event
}

/** Posts a command to an instance, and waits until the instance has processed it. */
async function tell(
  workflows: Workflows,
  {app: caller, onGone}: HubCaller,
  {instanceId: id, router}: Pick<Named, 'router'> & {readonly instanceId: string},
  {kind, wanted, event}: Command
): Promise<Answer> {
  const app = ownerOf(workflows, caller, {id, router}, kind === 'suspend' ? 'pause' : kind)
  const instance = await workflows.tell(app, id, kind, event)
  const now = await workflows.until(instance, each => workflows.hasHeard(each, wanted), onGone)
  if (now?.status === STALLED && !workflows.hasHeard(now, undefined)) throw stalledInstance(id)
  return NO_BYTES
}

/** Instance that a request names. `router`: its app, which Dapr 1.18 ignores (pkg/runtime/wfengine/backends/actors/actors.go). */
interface Named {
  readonly id: string
  readonly router: {readonly targetAppID: string} | undefined
}

/** Returns the app that owns an instance. Throws a WorkflowError if that app's policies forbid the operation. */
function ownerOf(
  workflows: Workflows,
  caller: string,
  {id, router}: Named,
  operation: WorkflowOperation,
  name?: string
): string {
  const app = router?.targetAppID || caller
  if (!isWorkflowApp(app)) throw new WorkflowError('invalid', invalidApp(app))
  workflows.checkAccess(caller, {app, id}, operation, name)
  return app
}

function found(instance: Instance | undefined, withPayloads: boolean): Uint8Array {
  if (instance === undefined) return NO_BYTES
  const {id, name, version, status, created, updated, started, parent} = instance
  const {input, output, customStatus, failure} = instance
  // Dapr does not report name and input before the first turn
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
