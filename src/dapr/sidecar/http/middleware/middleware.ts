import type {AppPipeline} from '../../../../proxy/gateway/admission.ts'
import type {Reply} from '../../../../proxy/net/reply.ts'
import {bugText} from '../../../../model/errors.ts'
import {plainError} from '../errors.ts'
import type {ParsedHead} from '../../../../proxy/net/http1/raw-head.ts'

export interface PipelineRequest {
  /** Path and query as sent. A middleware may replace them. */
  url: string
  readonly rawHeaders: readonly string[]
  /** The body is passed on in capitals. */
  isUppercase: boolean
}

/** Replies in place of the sidecar, or passes the request on. */
export type Middleware = (request: PipelineRequest) => Reply | undefined | Promise<Reply | undefined>

/** The middleware of one sidecar, in its order. */
export type Pipeline = readonly Middleware[]

/** A Component from which no middleware can be made. */
export class MiddlewareFault extends Error {}

/** Changes a piece of a body in place. */
export type OnPiece = ((piece: Buffer) => void) | undefined

/** Continuations after the pipeline: exactly one of `reply` and `pass` is called. */
export interface FilteredRequest {
  readonly reply: (answer: Reply) => void
  readonly isGone: () => boolean
  readonly pass: (request: ParsedHead, onPiece: OnPiece) => void
}

/** Lets a request through the pipeline; it passes, or gets the reply of a middleware. Never rejects. */
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

/** Passes a request through a pipeline. Returns the first reply of a middleware, or undefined if none replies. */
export async function runPipeline(pipeline: Pipeline, request: PipelineRequest): Promise<Reply | undefined> {
  for (const middleware of pipeline) {
    const reply = await middleware(request)
    if (reply !== undefined) return reply
  }
  return undefined
}

/** Returns a pipeline as the gateway runs it before an app. */
export const appPipelineOf =
  (pipeline: Pipeline): AppPipeline =>
  async (path, rawHeaders) => {
    const request = {url: path, rawHeaders, isUppercase: false}
    const reply = await runPipeline(pipeline, request)
    return reply ?? {path: request.url, onPiece: request.isUppercase ? upperCase : undefined}
  }

const [A, Z, TO_CAPITAL] = [97, 122, 32]

/** Replaces a to z in a piece of a body by capitals (Dapr: middleware.http.uppercase). Its length stays. */
export function upperCase(piece: Buffer): void {
  for (let at = 0; at < piece.length; at++) {
    const byte = piece[at] ?? 0
    if (byte >= A && byte <= Z) piece[at] = byte - TO_CAPITAL
  }
}
