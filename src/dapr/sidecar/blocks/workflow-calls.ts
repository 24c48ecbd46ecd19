import {randomUUID} from 'node:crypto'
import {messageOf} from '../../../model/errors.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {timeAt} from '../../../work/times.ts'
import {invalidApp, isWorkflowApp, WorkflowError, type Refusal} from '../../../work/workflow/workflow-error.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {AppBlock} from './block-context.ts'
import {BlockError, daprError} from './block-error.ts'
import {ownOf} from '../../../model/own.ts'

export interface InstanceName {
  /** The app that runs the workflow; '': the calling app. */
  readonly appId: string
  readonly id: string
}

export interface WorkflowStart extends InstanceName {
  readonly name: string
  readonly input: string
  readonly options: Readonly<Record<string, string>>
  /** The `traceparent` of the request; '': none. */
  readonly trace: string
}

const MAX_ID_BYTES = 64
const START_TIME = 'dapr.workflow.start_time'

/** Names of gRPC codes, as Go prints them, by refusal. */
const CODES: Partial<Record<Refusal, string>> = {active: 'AlreadyExists', denied: 'PermissionDenied'}

type Command = 'pause' | 'resume' | 'terminate' | 'raise'

const EMPTY_TEXT = {value: ''}

/** Dapr's API of workflows (Dapr: pkg/api/universal/workflow.go, pkg/messages/predefined.go). Workers use the task hub instead. */
export class WorkflowCalls extends AppBlock {
  /** Starts a workflow. Resolves with its id once it is stored, even if no worker is connected. */
  async start({appId, id: wanted, name, input, options, trace}: WorkflowStart): Promise<string> {
    const id = wanted === '' ? randomUUID() : wanted
    const app = this.#appOf(appId)
    checkNewId(id)
    if (name === '') throw invalid('ERR_WORKFLOW_NAME_MISSING', 'workflow name is not configured')
    const failed = startFailed(name)
    const startAt = startTime(options[START_TIME], failed)
    const workflows = await this.#open(failed)
    try {
      workflows.checkAccess(this.context.appId, {app, id}, 'schedule', name)
      await workflows.start(app, {id, name, input, startAt, trace, caller: this.context.appId})
      return id
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw failed(messageOf(error))
      const code = ownOf(CODES, error.refusal) ?? 'Unknown'
      throw failed(
        `unable to start workflow: failed to start workflow: rpc error: code = ${code} desc = ${error.message}`
      )
    }
  }

  async get({appId, id}: InstanceName): Promise<Instance | undefined> {
    const app = this.#appOf(appId)
    checkId(id)
    const failed = internal('ERR_GET_WORKFLOW', `error while getting workflow info on instance '${id}': `)
    const workflows = await this.#open(failed)
    await workflows.settled()
    try {
      workflows.checkAccess(this.context.appId, {app, id}, 'get')
    } catch (error) {
      throw failed(messageOf(error))
    }
    return workflows.find(app, id)
  }

  /** Raises an event. `data` undefined: the caller sent none. */
  async raise(name: InstanceName, event: string, data: string | undefined): Promise<void> {
    checkId(name.id)
    if (event === '') throw invalid('ERR_WORKFLOW_EVENT_NAME_MISSING', 'missing workflow event name')
    await this.tell('raise', name, event, data)
  }

  async purge({appId, id}: InstanceName): Promise<void> {
    const app = this.#appOf(appId)
    checkId(id)
    const failed = internal('ERR_PURGE_WORKFLOW', `error purging workflow ${id}: failed to Purge workflow ${id}: `)
    const workflows = await this.#open(failed)
    try {
      workflows.checkAccess(this.context.appId, {app, id}, 'purge')
      await workflows.purge(app, id, {isRecursive: true, isForced: false})
    } catch (error) {
      if (isUnknown(error)) throw notFound(id)
      throw failed(`failed to purge workflow state: ${messageOf(error)}`)
    }
  }

  /** Sends a command to an instance. A termination includes child workflows. `name` and `data`: of a raised event. */
  async tell(what: Command, {appId, id}: InstanceName, name = '', data?: string): Promise<void> {
    const app = this.#appOf(appId)
    checkId(id)
    const failed = FAILURES_OF[what](id, name)
    const workflows = await this.#open(failed)
    try {
      workflows.checkAccess(this.context.appId, {app, id}, what)
      switch (what) {
        case 'pause':
          return void (await workflows.tell(app, id, 'suspend', {executionSuspended: {input: EMPTY_TEXT}}))
        case 'resume':
          return void (await workflows.tell(app, id, 'resume', {executionResumed: {input: EMPTY_TEXT}}))
        case 'terminate':
          return void (await workflows.tell(app, id, 'terminate', {
            executionTerminated: {input: undefined, recurse: true}
          }))
        case 'raise': {
          const input = data === undefined ? undefined : {value: data}
          return void (await workflows.tell(app, id, 'event', {eventRaised: {name, input}}))
        }
      }
    } catch (error) {
      if (what === 'terminate' && isUnknown(error)) throw notFound(id)
      throw failed(messageOf(error))
    }
  }

  async #open(failed: (why: string) => BlockError): Promise<Workflows> {
    return this.context.work.workflows().catch((error: unknown) => {
      throw failed(messageOf(error))
    })
  }

  #appOf(appId: string): string {
    if (appId === '') return this.context.appId
    if (isWorkflowApp(appId)) return appId
    throw invalid('ERR_WORKFLOW_APP_ID_INVALID', invalidApp(appId))
  }
}

/** Makes an error with Dapr's words before the reason (Dapr: pkg/runtime/wfengine/client.go; durabletask-go: client). */
const failing = (code: string, doing: string, what: string, how: string): ReturnType<typeof daprError> =>
  internal(code, `error ${doing}: failed to ${what}: failed to ${how}: `)

const FAILURES_OF: Readonly<Record<Command, (id: string, event: string) => (why: string) => BlockError>> = {
  pause: id => failing('ERR_PAUSE_WORKFLOW', `pausing workflow ${id}`, `pause workflow ${id}`, 'suspend workflow'),
  resume: id => failing('ERR_RESUME_WORKFLOW', `resuming workflow ${id}`, `resume workflow ${id}`, 'resume workflow'),
  terminate: id => {
    const end = `terminate workflow ${id}`
    return failing('ERR_TERMINATE_WORKFLOW', `terminating workflow '${id}'`, end, 'submit termination request')
  },
  raise: (id, event) => {
    const what = `raise event ${event} on workflow ${id}`
    return failing('ERR_RAISE_EVENT_WORKFLOW', `raising event on workflow '${id}'`, what, 'raise event')
  }
}

const startFailed = (name: string): ReturnType<typeof daprError> =>
  internal('ERR_START_WORKFLOW', `error starting workflow '${name}': `)

/** Parses the time at which a workflow starts, in ms since 1970; undefined: now. */
function startTime(text: string | undefined, failed: (why: string) => BlockError): number | undefined {
  if (text === undefined) return undefined
  const ms = timeAt(text)
  if (Number.isNaN(ms)) throw failed('start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")')
  return ms
}

function checkId(id: string): void {
  if (id === '') throw invalid('ERR_INSTANCE_ID_PROVIDED_MISSING', 'no instance ID was provided')
}

function checkNewId(id: string): void {
  if (Buffer.byteLength(id) > MAX_ID_BYTES) {
    const max = MAX_ID_BYTES.toString()
    throw invalid('ERR_INSTANCE_ID_TOO_LONG', `workflow instance ID exceeds the max length of ${max} characters`)
  }
  if (/^[\p{L}\p{Nd}_-]+$/u.test(id)) return
  const words = 'is invalid: only alphanumeric and underscore characters are allowed'
  throw invalid('ERR_INSTANCE_ID_INVALID', `workflow instance ID '${id}' ${words}`)
}

const isUnknown = (error: unknown): boolean => error instanceof WorkflowError && error.refusal === 'unknown'

const invalid = (code: string, message: string): BlockError => new BlockError([400, 'invalidArgument', code], message)
const internal = (code: string, text: string): ReturnType<typeof daprError> => daprError([500, 'internal', code], text)

export const notFound = (id: string): BlockError =>
  new BlockError(
    [404, 'notFound', 'ERR_INSTANCE_ID_NOT_FOUND'],
    `unable to find workflow with the provided instance ID: ${id}`
  )
