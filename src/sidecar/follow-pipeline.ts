import {plainError} from './http/errors.ts'
import {createPipeline, type Pipeline} from './http/middleware/pipeline.ts'
import {pipelineOf} from '../resources/http-pipeline.ts'
import type {AppResources, ResourceSnapshot} from '../resources/app-resources.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'

export interface PipelineFollower {
  readonly runtime: AppRuntime
  readonly resources: AppResources
  /** Gets the middleware that requests pass from now on. */
  readonly changed: (pipeline: Pipeline) => void
  readonly warn: (text: string) => void
}

/**
 * The middleware of a sidecar as Configuration and Components have it now. One that cannot be made keeps the app from being
 * started; later the last good one stays. Gives what ends that.
 */
export function followPipeline({runtime, resources, changed, warn}: PipelineFollower): () => void {
  let hasOne = false
  let current: Pick<ResourceSnapshot, 'configuration' | 'components'> | undefined
  const follow = ({configuration, components}: ResourceSnapshot): void => {
    if (configuration === current?.configuration && components === current.components) return
    current = {configuration, components}
    const pipeline = createPipeline(pipelineOf(configuration.httpPipeline, components))
    if (typeof pipeline !== 'string') {
      hasOne = true
      changed(pipeline)
    } else if (!hasOne) {
      runtime.fault ||= pipeline
      changed([() => plainError(500, pipeline)])
    } else warn(`${pipeline}: the middleware stays as it was`)
  }
  follow(resources.snapshot)
  return resources.onChange(follow)
}
