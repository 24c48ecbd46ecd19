import type {Reply} from '../net/reply.ts'

/** A request that the middleware has let pass. */
export interface PassedRequest {
  /** The path with the query. */
  readonly path: string
  /** Changes each piece of the body in place; undefined: the body stays as it is. */
  readonly onPiece: ((piece: Buffer) => void) | undefined
}

/**
 * The middleware that a sidecar's requests to its app, or to an external endpoint, pass (Dapr: `spec.appHttpPipeline`). A
 * reply takes the place of the response. Names and values of the headers alternate.
 */
export type AppPipeline = (path: string, rawHeaders: readonly string[]) => Promise<PassedRequest | Reply>
