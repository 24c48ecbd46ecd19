import {UserError} from '../../../model/errors.ts'
import {ownOf} from '../../../model/own.ts'

/** Why an API server refuses a request (`Status` in `meta/v1`). */
export interface ClusterStatus {
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly causes?: readonly {readonly reason?: string; readonly message?: string; readonly field?: string}[]
    readonly retryAfterSeconds?: number
  }
}

/** The server answered with a status of 400 or above. */
export class ClusterError extends Error {
  readonly code: number
  readonly status: ClusterStatus
  /** `GET`, `PATCH` … */
  readonly method: string
  readonly path: string

  constructor(code: number, status: ClusterStatus, {method, path}: {readonly method: string; readonly path: string}) {
    super(status.message ?? `${method} ${path}: HTTP status ${code}`)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.method = method
    this.path = path
  }
}

/** Whether it is an answer with this status. */
export const isStatus = (error: unknown, code: number): boolean => error instanceof ClusterError && error.code === code

const VERBS: Readonly<Record<string, string>> = {GET: 'read', PATCH: 'apply', POST: 'create', DELETE: 'delete'}

/** An answer as an error with advice for the user; another error as it is. `what` names the object, or the request: `Deployment "shop"`. */
export function asUserError(error: unknown, what: string, context: string): unknown {
  if (!(error instanceof ClusterError)) return error
  const verb = ownOf(VERBS, error.method) ?? error.method
  const server = `the Kubernetes context "${context}"`
  const [message, explanation = error.message] = ownOf<readonly [message: string, explanation?: string]>(
    {
      401: [
        `the API server of ${server} does not accept your credentials`,
        'Log in again, or select another context with --context.'
      ],
      403: [`you may not ${verb} ${what} in ${server}`],
      404: [`cannot ${verb} ${what}: the cluster does not have it`],
      409: conflict(error, what),
      422: [`the API server refuses ${what}`, causesOf(error)]
    },
    error.code.toString()
  ) ?? [`the API server of ${server} could not ${verb} ${what} (status ${error.code})`]
  return new UserError(message, {explanation, cause: error})
}

/** Another manager owns a field that we would change: `conflict with "kubectl" using apps/v1: .spec.replicas`. */
function conflict({status, message: text}: ClusterError, what: string): readonly [message: string, more: string] {
  const causes = (status.details?.causes ?? []).filter(({reason}) => reason === 'FieldManagerConflict')
  if (causes.length === 0) return [`${what} was changed at the same time: try again`, text]
  const all = causes.map(({field, message}) => `  ${field ?? ''}: ${message ?? ''}`)
  const advice = 'Leave these fields out of the template, or let the other manager give them up.'
  return [`another manager owns a part of ${what}`, `${all.join('\n')}\n${advice}`]
}

function causesOf(error: ClusterError): string {
  const causes = error.status.details?.causes ?? []
  if (causes.length === 0) return error.message
  return causes.map(({field, message}) => (field ? `  ${field}: ${message ?? ''}` : `  ${message ?? ''}`)).join('\n')
}
