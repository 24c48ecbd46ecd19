/** A request that `RemoteUpstream` has parsed from HTTP/1.1 text, for another client. */
export interface AdaptedRequest {
  readonly method: string
  /** The path with the query. */
  readonly path: string
  /** Headers: names and values alternate, in latin1. Hop-by-hop headers are removed. */
  readonly pairs: readonly string[]
  readonly hasBody: boolean
}

/** Receives the body of a request. */
export interface RequestBody {
  /** Writes bytes, which their owner may overwrite afterwards. Returns false to wait for `drain`. */
  write(bytes: Buffer | undefined, isLast: boolean): boolean
}

/** Facts about a request that failed, from which the exchange decides about a retry. */
export interface Lost {
  /** Body so far, to be sent again; omitted: the callee may have processed the request, or the body was not kept. */
  readonly unsent?: string | undefined
  /** Whether the connection had carried other requests. */
  readonly wasUsed: boolean
}

/** Receives the result of a request: one response, or a failure. */
export interface RemoteSink {
  respond(status: number, pairs: readonly string[]): void
  /** Passes a piece of the response's body. Returns false to wait for `resume`. */
  data(bytes: Buffer): boolean
  end(): void
  fail(error: Error, lost?: Lost): void
  /** Called when the callee accepts more of the request. */
  drain(): void
}

/** A client that carries one call over another protocol than HTTP/1.1, or with redirects. */
export interface RemoteSide {
  request(adapted: AdaptedRequest, sink: RemoteSink): RequestBody
  /** Called when the caller accepts more of the response. */
  resume(): void
  /** Ends the request. `isWhole`: the response is complete, so that the connection can be reused. */
  end(isWhole: boolean): void
}

/** Creates the client of one call, which calls `opened` or `failed` later. */
export type Connect = (on: {readonly opened: () => void; readonly failed: (error: Error) => void}) => RemoteSide
