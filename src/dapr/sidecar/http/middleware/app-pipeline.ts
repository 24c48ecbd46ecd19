import type {AppPipeline} from '../../../../proxy/gateway/admission.ts'
import {runPipeline} from './filter.ts'
import type {Pipeline} from './middleware.ts'
import {upperCase} from './upper-case.ts'

/** A pipeline for requests to an app. */
export const appPipelineOf =
  (pipeline: Pipeline): AppPipeline =>
  async (path, rawHeaders) => {
    const request = {url: path, rawHeaders, isUppercase: false}
    const reply = await runPipeline(pipeline, request)
    if (reply !== undefined) return reply
    const changed = request.url === path ? path : asTarget(request.url)
    return {path: changed, onPiece: request.isUppercase ? upperCase : undefined}
  }

/** Escapes a path that a person has written, for a request line. */
const asTarget = (url: string): string =>
  (url.startsWith('/') ? url : `/${url}`).replaceAll(/[^!-~]+/g, text => encodeURIComponent(text.toWellFormed()))
