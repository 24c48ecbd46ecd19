import type {AppPipeline} from '../../../../proxy/gateway/admission.ts'
import {runPipeline, upperCase} from './filter.ts'
import type {Pipeline} from './middleware.ts'

export const appPipelineOf =
  (pipeline: Pipeline): AppPipeline =>
  async (path, rawHeaders) => {
    const request = {url: path, rawHeaders, isUppercase: false}
    const reply = await runPipeline(pipeline, request)
    return reply ?? {path: request.url, onPiece: request.isUppercase ? upperCase : undefined}
  }
