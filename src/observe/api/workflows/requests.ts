import {readTime} from '../../../model/duration.ts'
import {UserError} from '../../../model/errors.ts'
import {exactText} from '../../../model/exact-json.ts'
import {WorkflowError} from '../../../work/workflow/workflow-error.ts'
import {ApiProblem, wholeIn} from '../problem.ts'

/** Returns a text of a request; empty if it is left out. Throws a UserError. */
export function askedText(given: Readonly<Record<string, unknown>>, name: string): string {
  const {[name]: value = ''} = given
  if (typeof value === 'string') return value
  throw new UserError(`${name} is not a text`, {explanation: `It is ${exactText(value)}.`})
}

/** Returns a whole number of a request, 0 or above. Undefined if it is left out. Throws a UserError. */
export function askedWhole(given: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const {[name]: value} = given
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new UserError(`${name} is not a whole number`, {explanation: `It is ${exactText(value)}.`})
}

/** Returns a time of a request in milliseconds since 1970. Undefined if it is left out. Throws a UserError. */
export function givenTime(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const time = typeof value === 'string' ? readTime(value) : Number.NaN
  if (Number.isFinite(time)) return time
  throw new UserError(`${name} is not a time`, {explanation: 'For example: 2026-01-31T14:46:28Z'})
}

/** Returns JSON as the text for a workflow; undefined stays undefined. */
export const givenPayload = (value: unknown): string | undefined => (value === undefined ? undefined : exactText(value))

/** Returns the number of rows of a query: 100 by default, at most 1,000. Throws a UserError. */
export const rowsIn = (query: URLSearchParams): number => Math.min(1000, Math.max(1, wholeIn(query, 'limit') ?? 100))

/** Turns a refusal by the workflows of the run into an ApiProblem with status 409. */
export async function asProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof WorkflowError) throw new ApiProblem(409, error.message)
    throw error
  }
}
