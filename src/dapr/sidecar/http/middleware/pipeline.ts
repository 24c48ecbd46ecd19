import {unreachable} from '../../../../model/errors.ts'
import type {MiddlewareSpec} from '../../../../files/resources/http-pipeline.ts'
import {middlewareType, type MiddlewareType} from '../../../../files/resources/middleware-types.ts'
import {bearer} from './bearer.ts'
import {MiddlewareFault, type MadeMiddleware, type Middleware, type Pipeline} from './middleware.ts'
import {rateLimit} from './rate-limit.ts'

/**
 * Makes a pipeline; a text: why it cannot be made. A middleware that is left out would let pass what it is to keep out. `before`: those of the
 * last pipeline, which become those of this one; an edit of something else takes from none what it has counted, or fetched.
 */
export async function createPipeline(
  specs: readonly MiddlewareSpec[],
  before: MadeMiddleware[]
): Promise<Pipeline | string> {
  const made: MadeMiddleware[] = []
  const left = [...before]
  for (const {name, type, metadata, place, fault} of specs) {
    const at = `${place.file}:${place.line}: the middleware "${name}"`
    const known = middlewareType(type)
    if (known === undefined) return `${at} is of type ${type}, which is not supported yet`
    if (fault !== '') return `${at} cannot be used: ${fault}`
    try {
      const key = JSON.stringify([name, type, metadata])
      const same = left.findIndex(each => each.key === key)
      const [kept = {key, middleware: await create(known, new Map(metadata))}] = same < 0 ? [] : left.splice(same, 1)
      made.push(kept)
    } catch (error) {
      if (error instanceof MiddlewareFault) return `${at} cannot be used: ${error.message}`
      throw error
    }
  }
  before.splice(0, Infinity, ...made)
  return made.map(({middleware}) => middleware)
}

async function create(type: MiddlewareType, metadata: ReadonlyMap<string, string>): Promise<Middleware> {
  switch (type) {
    case 'bearer':
      return bearer(metadata)
    case 'ratelimit':
      return rateLimit(metadata, () => performance.now())
    case 'routeralias':
      return (await import('./router-alias.ts')).routerAlias(metadata)
    case 'routerchecker':
      return (await import('./router-checker.ts')).routerChecker(metadata)
    case 'uppercase':
      return request => {
        request.isUppercase = true
        return undefined
      }
    default:
      return unreachable(type)
  }
}
