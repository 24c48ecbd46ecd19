import type {AppPipeline} from '../gateway/app-pipeline.ts'
import {plainError} from './http/errors.ts'
import {createPipeline, runPipeline, type Pipeline} from './http/middleware/pipeline.ts'
import {upperCase} from './http/middleware/upper-case.ts'
import {pipelineOf, type PipelineKey} from '../resources/http-pipeline.ts'
import type {AppResources, ResourceSnapshot} from '../resources/app-resources.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'

export interface PipelineFollower {
  readonly runtime: AppRuntime
  readonly resources: AppResources
  readonly key: PipelineKey
  /** Gets the middleware that requests pass from now on. */
  readonly changed: (pipeline: Pipeline) => void
  readonly warn: (text: string) => void
}

/**
 * The middleware of a sidecar as Configuration and Components have it now. One that cannot be made keeps the app from being
 * started; later the last good one stays. Gives what ends that.
 */
export function followPipeline({runtime, resources, key, changed, warn}: PipelineFollower): () => void {
  let hasOne = false
  let current: Pick<ResourceSnapshot, 'configuration' | 'components'> | undefined
  const follow = ({configuration, components}: ResourceSnapshot): void => {
    if (configuration === current?.configuration && components === current.components) return
    current = {configuration, components}
    const pipeline = createPipeline(pipelineOf(key, configuration[key], components))
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

/** A pipeline for requests to an app; undefined: it is empty. */
export function appPipelineOf(pipeline: Pipeline): AppPipeline | undefined {
  if (pipeline.length === 0) return undefined
  return async (path, rawHeaders) => {
    const request = {url: path, rawHeaders, isUppercase: false}
    const reply = await runPipeline(pipeline, request)
    if (reply !== undefined) return reply
    const changed = request.url === path ? path : asTarget(request.url)
    return {path: changed, onPiece: request.isUppercase ? upperCase : undefined}
  }
}

/** A path that a person has written, as it may stand in a request line. */
const asTarget = (url: string): string =>
  (url.startsWith('/') ? url : `/${url}`).replaceAll(/[^!-~]+/g, text => encodeURIComponent(text.toWellFormed()))
