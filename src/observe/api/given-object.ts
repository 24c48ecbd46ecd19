import {UserError} from '../../model/errors.ts'
import {isObject} from '../../model/is-object.ts'

/** The JSON object of a request. Throws a UserError. */
export function givenObject(body: string, example: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    if (isObject(value)) return value
  } catch {
    // reported below
  }
  throw new UserError('the body is not a JSON object', {explanation: `For example: ${example}`})
}
