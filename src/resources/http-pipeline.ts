import type {Place} from '../model/errors.ts'
import type {ComponentResource} from './components.ts'
import type {Field} from './field.ts'

/** A handler of `spec.httpPipeline` (Dapr: pkg/config, HandlerSpec): a Component of this name and type. */
export interface HandlerSpec {
  readonly name: string
  readonly type: string
  readonly place: Place
}

/** A middleware of the pipeline, with the metadata of its Component. */
export interface MiddlewareSpec extends HandlerSpec {
  readonly metadata: readonly (readonly [name: string, value: string])[]
}

/** Types that are built. */
export const MIDDLEWARE_TYPES = ['bearer', 'ratelimit', 'routeralias', 'routerchecker', 'uppercase'] as const

const PREFIX = 'middleware.http.'

export type MiddlewareType = (typeof MIDDLEWARE_TYPES)[number]

export const middlewareType = (type: string): MiddlewareType | undefined =>
  MIDDLEWARE_TYPES.find(each => `${PREFIX}${each}` === type)

export const readHandlers = (spec: Field): readonly HandlerSpec[] =>
  spec
    .field('httpPipeline')
    .field('handlers')
    .items()
    .map(handler => {
      handler.warnUnknownKeys(['name', 'type', 'version', 'selector'])
      return {name: handler.field('name').text(), type: handler.field('type').text(), place: handler.place}
    })

/** The pipeline in its order; a handler whose Component is missing is skipped, as in Dapr. */
export const pipelineOf = (
  handlers: readonly HandlerSpec[],
  components: readonly ComponentResource[]
): readonly MiddlewareSpec[] =>
  handlers.flatMap(handler => {
    const component = components.find(({name, type}) => name === handler.name && type === handler.type)
    if (component === undefined) return []
    return [{...handler, metadata: component.properties.map(({name, value}) => [name, value] as const)}]
  })
