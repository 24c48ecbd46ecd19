import type {AppPipeline} from '../../../../proxy/gateway/admission.ts'
import type {Reply} from '../../../../proxy/net/reply.ts'
import {bugText} from '../../../../model/errors.ts'
import {plainError} from '../errors.ts'
import type {ParsedHead} from '../../../../proxy/net/http1/raw-head.ts'

/** The parts of a request that middleware reads or changes. */
export interface PipelineRequest {
  /** Path and query as sent. A middleware may replace them. */
  url: string
  readonly rawHeaders: readonly string[]
  /** Whether the body is passed on in upper case. */
  isUppercase: boolean
}

/** Handles a request: returns a reply, which ends it; undefined: it passes to the next middleware. */
export type Middleware = (request: PipelineRequest) => Reply | undefined | Promise<Reply | undefined>

/** The middleware of one sidecar, in the order in which requests pass it. */
export type Pipeline = readonly Middleware[]

/** The error for a Component from which no middleware can be made. */
export class MiddlewareFault extends Error {}

/** Changes a piece of a body in place; undefined: the body is passed on unchanged. */
export type OnPiece = ((piece: Buffer) => void) | undefined

/** Continuations after the pipeline. `reply` or `pass` is called once, unless the caller is gone. */
export interface FilteredRequest {
  readonly reply: (answer: Reply) => void
  readonly isGone: () => boolean
  readonly pass: (request: ParsedHead, onPiece: OnPiece) => void
}

/** Runs the pipeline for a request at the sidecar, then replies or passes the request on. Never rejects. */
export async function filter(
  pipeline: Pipeline,
  {method, url, httpVersion, rawHeaders}: ParsedHead,
  then: FilteredRequest,
  warn: (text: string) => void
): Promise<void> {
  const passing = {url: url ?? '/', rawHeaders, isUppercase: false}
  try {
    const answer = await runPipeline(pipeline, passing)
    if (then.isGone()) return
    if (answer !== undefined) then.reply(answer)
    else then.pass({method, httpVersion, rawHeaders, url: passing.url}, passing.isUppercase ? upperCase : undefined)
  } catch (error) {
    warn(bugText(error))
    if (!then.isGone()) then.reply(plainError(500, 'Internal Server Error'))
  }
}

/** Runs a pipeline for a request. Resolves with the first reply of a middleware; undefined: the request passes. */
export async function runPipeline(pipeline: Pipeline, request: PipelineRequest): Promise<Reply | undefined> {
  for (const middleware of pipeline) {
    const reply = await middleware(request)
    if (reply !== undefined) return reply
  }
  return undefined
}

/** Returns the function by which the gateway runs a pipeline before requests to an app. */
export const appPipelineOf =
  (pipeline: Pipeline): AppPipeline =>
  async (path, rawHeaders) => {
    const request = {url: path, rawHeaders, isUppercase: false}
    const reply = await runPipeline(pipeline, request)
    return reply ?? {path: request.url, onPiece: request.isUppercase ? upperCase : undefined}
  }

const [A, Z, TO_CAPITAL] = [97, 122, 32]

/** Changes a to z in a piece of a body to upper case, in place (Dapr: middleware.http.uppercase). */
export function upperCase(piece: Buffer): void {
  for (let at = 0; at < piece.length; at++) {
    const byte = piece[at] ?? 0
    if (byte >= A && byte <= Z) piece[at] = byte - TO_CAPITAL
  }
}
