import type {WorkflowAccess} from '../../model/workflow-settings.ts'

/** Reason of a refused request. */
export type Refusal = 'active' | 'unknown' | 'not over' | 'not found' | 'invalid' | 'taken' | 'stalled' | 'denied'

/** The error of a refused request about an instance, with the message of durabletask (api/errors) or Dapr. The request changed no data. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError'
  readonly refusal: Refusal

  constructor(refusal: Refusal, message: string) {
    super(message)
    this.refusal = refusal
  }
}

/** Whether an app can own workflows: in Dapr, its name is part of an actor type (pkg/actors/targets/workflow/common/common.go). */
export const isWorkflowApp = (app: string): boolean => /^[\p{L}\p{Nd}_-]+$/u.test(app)

export const invalidApp = (app: string): string =>
  `workflow app ID '${app}' is invalid: only alphanumeric, dash and underscore characters are allowed`

export const unknownInstance = (): WorkflowError => new WorkflowError('unknown', 'no such instance exists')

export const activeInstance = (id: string): WorkflowError =>
  new WorkflowError('active', `an active workflow with ID '${id}' already exists`)

export const stalledInstance = (id: string): WorkflowError =>
  new WorkflowError('stalled', `failed to invoke method for workflow '${id}': actor is stalled`)

export const notOver = (): WorkflowError => new WorkflowError('not over', 'orchestration has not yet completed')

/** Throws a WorkflowError for Dapr's workflows of an MCPServer's tools (pkg/runtime/wfengine/inprocess/mcp): no worker here runs them. */
export function checkHasWorker(name: string): void {
  if (!name.startsWith('dapr.internal.mcp.')) return
  throw new WorkflowError('invalid', `nothing runs the workflow '${name}': tools of MCPServers are not called here`)
}

export const DENIED = 'access denied by workflow access policy'

/** Returns the error if a WorkflowAccessPolicy denies a request (Dapr: pkg/actors/targets/workflow/orchestrator/accesspolicy.go). */
export const deniedAccess = ({caller, operation, name}: WorkflowAccess, id: string): WorkflowError =>
  new WorkflowError(
    'denied',
    `${DENIED}: app '${caller}' operation '${operation}' on workflow '${name}' (instance '${id}')`
  )
