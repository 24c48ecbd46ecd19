import type {Place} from '../../model/errors.ts'
import type {ComponentResource} from './components.ts'
import type {Field} from './field.ts'

/** The two pipelines: one for requests to a sidecar, one for its requests to its app or an external endpoint. */
export type PipelineKey = 'httpPipeline' | 'appHttpPipeline'

/** A handler of a pipeline (Dapr: pkg/config, HandlerSpec): a Component of this name and type. */
export interface HandlerSpec {
  readonly name: string
  readonly type: string
  readonly place: Place
}

/** A middleware of the pipeline, with the metadata of its Component. */
export interface MiddlewareSpec extends HandlerSpec {
  readonly metadata: readonly (readonly [name: string, value: string])[]
  /** Why it cannot be used; empty if it can. */
  readonly fault: string
}

/** Reads the handlers of a Configuration. Undefined leaves them to Components with a `pipelineType` (Dapr: pkg/runtime/channels). */
export const readHandlers = (spec: Field, key: PipelineKey): readonly HandlerSpec[] | undefined => {
  const pipeline = spec.field(key)
  pipeline.warnUnknownKeys(['handlers'])
  if (pipeline.isAbsent) return undefined
  return pipeline
    .field('handlers')
    .items()
    .map(handler => {
      handler.warnUnknownKeys(['name', 'type', 'version', 'selector'])
      return {name: handler.field('name').text(), type: handler.field('type').text(), place: handler.place}
    })
}

/** Returns the pipeline in its order; a handler whose Component is missing is skipped, as in Dapr. */
export const pipelineOf = (
  key: PipelineKey,
  handlers: readonly HandlerSpec[] | undefined,
  components: readonly ComponentResource[]
): readonly MiddlewareSpec[] =>
  handlers === undefined
    ? placedIn(key, components)
    : handlers.flatMap(handler => {
        const component = components.find(({name, type}) => name === handler.name && type === handler.type)
        return component === undefined ? [] : [{...handler, metadata: metadataOf(component), fault: ''}]
      })

const metadataOf = ({properties}: ComponentResource): MiddlewareSpec['metadata'] =>
  properties.map(({name, value}) => [name, value])

/** Returns the Components that name this pipeline, by priority; equal priorities keep the order of the files. */
function placedIn(key: PipelineKey, components: readonly ComponentResource[]): readonly MiddlewareSpec[] {
  const placed = components.flatMap(component => {
    const {name, type, place} = component
    const metadata = metadataOf(component)
    const properties = new Map(metadata)
    if (properties.get('pipelineType') !== key) return []
    const text = properties.get('priority') ?? ''
    const priority = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
    const fault = Number.isNaN(priority) ? `its priority ${text === '' ? 'is not set' : `${text} is no integer`}` : ''
    return [{priority, spec: {name, type, metadata, place, fault}}]
  })
  return placed.toSorted((a, b) => a.priority - b.priority).map(({spec}) => spec)
}
