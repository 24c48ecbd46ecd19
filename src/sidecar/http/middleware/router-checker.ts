import {messageOf} from '../../../model/errors.ts'
import {plainError} from '../errors.ts'
import {MiddlewareFault, type Middleware} from './middleware.ts'

const INVALID = plainError(400, 'invalid router')

/** Lets those requests pass whose path and query match `rule` (Dapr: middleware/http/routerchecker). */
export function routerChecker(metadata: ReadonlyMap<string, string>): Middleware {
  const rule = pattern(metadata.get('rule') ?? '')
  return ({url}) => (rule.test(url) ? undefined : INVALID)
}

function pattern(rule: string): RegExp {
  try {
    return new RegExp(rule)
  } catch (error) {
    throw new MiddlewareFault(`rule is not a regular expression: ${messageOf(error)}`)
  }
}
