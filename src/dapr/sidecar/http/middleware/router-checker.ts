import {RE2JS} from 're2js'
import {messageOf} from '../../../../model/errors.ts'
import {plainError} from '../errors.ts'
import {MiddlewareFault, type Middleware} from './middleware.ts'

const INVALID = plainError(400, 'invalid router')

/** Passes only requests whose path and query match `rule` (Dapr: middleware/http/routerchecker). Rules are RE2's, so that no request can cause backtracking. */
export function routerChecker(metadata: ReadonlyMap<string, string>): Middleware {
  const rule = pattern(metadata.get('rule') ?? '')
  return ({url}) => (rule.test(url) ? undefined : INVALID)
}

function pattern(rule: string): RE2JS {
  try {
    return RE2JS.compile(rule)
  } catch (error) {
    throw new MiddlewareFault(`rule is not a regular expression: ${messageOf(error)}`)
  }
}
