import {messageOf, UserError} from '../model/errors.ts'

export interface ApiResponse {
  readonly status: number
  readonly type: string
  readonly body: string
  /** For a 405: the methods that are possible. */
  readonly allow?: string
}

/** A client error with its own status: not found (404), or not possible now (409). */
export class ApiProblem extends UserError {
  readonly status: number

  constructor(status: number, detail: string, hint = '') {
    super(detail, {explanation: hint})
    this.status = status
  }
}

/** A problem as defined by RFC 9457; `hint` says what to do. */
export const problem = (status: number, detail: string, hint = ''): ApiResponse => ({
  status,
  type: 'application/problem+json',
  body: JSON.stringify({status, detail, ...(hint === '' ? {} : {hint})})
})

/** The problem for an error: the client's mistake, or a bug of ours. */
export function problemOf(error: unknown): ApiResponse {
  if (error instanceof ApiProblem) return problem(error.status, error.message, error.explanation)
  return error instanceof UserError ? problem(400, error.message, error.explanation) : problem(500, messageOf(error))
}

export const json = (value: unknown): ApiResponse => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify(value)
})

/** The answer to a method that a resource does not have. */
export const notAllowed = (method: string, allow: string): ApiResponse => ({
  ...problem(405, `${method} is not possible here`, `Use ${allow}.`),
  allow
})
