import {unreachable} from '../../../../model/errors.ts'
import type {MiddlewareSpec} from '../../../../files/resources/http-pipeline.ts'
import {middlewareType, type MiddlewareType} from '../../../../files/resources/component-types.ts'
import {bearer} from './bearer.ts'
import {MiddlewareFault, type Middleware, type Pipeline} from './middleware.ts'
import {rateLimit} from './rate-limit.ts'

/**
 * Makes a pipeline; a text: why it cannot be made. A middleware that is left out would let pass what it is to keep out. `kept`: those of the
 * last pipeline, by what they were made from: an edit of something else takes from none what it has counted.
 */
export async function createPipeline(
  specs: readonly MiddlewareSpec[],
  kept: Map<string, Middleware>
): Promise<Pipeline | string> {
  const pipeline: Middleware[] = []
  const made = new Map<string, Middleware>()
  for (const {name, type, metadata, place, fault} of specs) {
    const at = `${place.file}:${place.line}: the middleware "${name}"`
    const known = middlewareType(type)
    if (known === undefined) return `${at} is of type ${type}, which is not supported yet`
    if (fault !== '') return `${at} cannot be used: ${fault}`
    const key = JSON.stringify([name, type, metadata])
    try {
      // one that is listed twice is one, which each request passes twice (Dapr: pkg/middleware/store)
      const middleware = made.get(key) ?? kept.get(key) ?? (await create(known, new Map(metadata)))
      made.set(key, middleware)
      pipeline.push(middleware)
    } catch (error) {
      if (error instanceof MiddlewareFault) return `${at} cannot be used: ${error.message}`
      throw error
    }
  }
  kept.clear()
  for (const [key, middleware] of made) kept.set(key, middleware)
  return pipeline
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
