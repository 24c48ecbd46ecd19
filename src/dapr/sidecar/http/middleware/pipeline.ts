import {unreachable} from '../../../../model/errors.ts'
import type {MiddlewareSpec} from '../../../../files/resources/http-pipeline.ts'
import {middlewareType, type MiddlewareType} from '../../../../files/resources/component-types.ts'
import {bearer} from './bearer.ts'
import {MiddlewareFault, type Middleware, type Pipeline} from './middleware.ts'
import {rateLimit} from './rate-limit.ts'

/**
 * Creates a pipeline, or returns the reason why it cannot: without one middleware, requests could pass that it should stop. `kept`:
 * middleware of the last pipeline, by its settings, so that counts survive an edit elsewhere.
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
      // a middleware that is listed twice is one object, which each request passes twice (Dapr: pkg/middleware/store)
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
