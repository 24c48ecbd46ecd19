import type {Reply} from '../../../../proxy/net/reply.ts'

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
