import type {Reply} from '../../../../proxy/net/reply.ts'

/** A request on its way through the pipeline. */
export interface PipelineRequest {
  /** Path and query, as sent; a middleware may write another one. */
  url: string
  readonly rawHeaders: readonly string[]
  /** The body is passed on in capitals. */
  isUppercase: boolean
}

/** Replies in place of the sidecar, or passes the request on. */
export type Middleware = (request: PipelineRequest) => Reply | undefined | Promise<Reply | undefined>

/** The middleware of one sidecar, in its order. */
export type Pipeline = readonly Middleware[]

/** A middleware cannot be made from what its Component says. */
export class MiddlewareFault extends Error {}
