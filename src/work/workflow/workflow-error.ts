import type {WorkflowAccess} from '../../model/workflow-settings.ts'

/** Why a request about an instance is refused. */
export type Refusal = 'active' | 'unknown' | 'not over' | 'not found' | 'invalid' | 'taken' | 'stalled' | 'denied'

/** Refusal of a request about an instance, in durabletask's words (api/errors) or Dapr's. The request changed no data. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError'
  readonly refusal: Refusal

  constructor(refusal: Refusal, message: string) {
    super(message)
    this.refusal = refusal
  }
}

/** Returns whether an app can own workflows: its name is part of a type of actors (Dapr: pkg/actors/targets/workflow/common/common.go). */
export const isWorkflowApp = (app: string): boolean => /^[\p{L}\p{Nd}_-]+$/u.test(app)

export const invalidApp = (app: string): string =>
  `workflow app ID '${app}' is invalid: only alphanumeric, dash and underscore characters are allowed`

export const unknownInstance = (): WorkflowError => new WorkflowError('unknown', 'no such instance exists')

export const activeInstance = (id: string): WorkflowError =>
  new WorkflowError('active', `an active workflow with ID '${id}' already exists`)

export const stalledInstance = (id: string): WorkflowError =>
  new WorkflowError('stalled', `failed to invoke method for workflow '${id}': actor is stalled`)

export const notOver = (): WorkflowError => new WorkflowError('not over', 'orchestration has not yet completed')

/** Refuses Dapr's workflows for tools of an MCPServer (pkg/runtime/wfengine/inprocess/mcp): no worker would ever run them here. */
export function checkHasWorker(name: string): void {
  if (!name.startsWith('dapr.internal.mcp.')) return
  throw new WorkflowError('invalid', `nothing runs the workflow '${name}': tools of MCPServers are not called here`)
}

export const DENIED = 'access denied by workflow access policy'

/** A WorkflowAccessPolicy denies it (Dapr: pkg/actors/targets/workflow/orchestrator/accesspolicy.go). */
export const deniedAccess = ({caller, operation, name}: WorkflowAccess, id: string): WorkflowError =>
  new WorkflowError(
    'denied',
    `${DENIED}: app '${caller}' operation '${operation}' on workflow '${name}' (instance '${id}')`
  )
