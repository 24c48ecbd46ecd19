import {messageOf, UserError} from '../../model/errors.ts'
import type {HintCode} from '../../model/hint-code.ts'
import {parseExactly} from '../../model/exact-json.ts'
import {isObject} from '../../model/is-object.ts'
import {orElse} from '../../model/or-else.ts'
import type {Problem} from '../../model/api.generated.ts'

interface ProblemDetails {
  /** Value of the header `Allow` for status 405: the methods that the path has. */
  readonly allow?: string
  /** The reason without the app's name. */
  readonly reason?: string
}

/** Codes of hints, by status. */
const CODES: ReadonlyMap<number, HintCode> = new Map([
  [404, 'not-found'],
  [409, 'not-now']
])

/** A client error with its own status: not found (404), or not possible now (409). */
export class ApiProblem extends UserError {
  readonly status: number
  readonly details: ProblemDetails

  constructor(status: number, detail: string, hint = '', details: ProblemDetails = {}) {
    super(detail, {explanation: hint, code: CODES.get(status)})
    this.status = status
    this.details = details
  }
}

/** Returns the problem for an error (RFC 9457): a mistake of the client, or a bug of Pillion. */
export function problemOf(error: unknown): Problem {
  const isOurs = !(error instanceof UserError)
  const status = error instanceof ApiProblem ? error.status : isOurs ? 500 : 400
  const hint = isOurs ? '' : error.explanation
  const {reason} = error instanceof ApiProblem ? error.details : {}
  const code = isOurs || error.code === 'wrong-value' ? undefined : error.code
  return {
    status,
    detail: messageOf(error),
    ...(hint !== '' && {hint, ...(code !== undefined && {code})}),
    ...(reason !== undefined && {reason})
  }
}

/** Returns the JSON object of a request. Throws a UserError. */
export function givenObject(body: string, example: string): Readonly<Record<string, unknown>> {
  const value = orElse(() => parseExactly(body), undefined)
  if (isObject(value)) return value
  throw new UserError('the body is not a JSON object', {explanation: `For example: ${example}`})
}

/** Returns a whole number of a query. Undefined if it is left out. Throws a UserError. */
export function wholeIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UserError(`${name}=${text} is not a number`, {explanation: `Write ${name}=100, for example.`})
}
