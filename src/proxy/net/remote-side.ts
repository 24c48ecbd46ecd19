/** A request that a remote upstream has parsed. */
export interface AdaptedRequest {
  readonly method: string
  /** The path with the query. */
  readonly path: string
  /** Alternating names and values, latin1; without hop-by-hop headers, and Content-Length as the only framing. */
  readonly pairs: readonly string[]
  readonly hasBody: boolean
}

/** Takes the body of a request. */
export interface RequestBody {
  /** The bytes may change afterwards. Returns false to wait for `drain`. */
  write(bytes: Buffer | undefined, isLast: boolean): boolean
}

/** A request that failed on the remote side, with the callee's progress. */
export interface Lost {
  /** The whole body so far, to be sent again. Omitted if the callee has begun to handle the request, or the body was not kept. */
  readonly unsent?: string | undefined
  /** Whether its connection had carried other requests. */
  readonly wasUsed: boolean
}

/** Receives the result of a request: one response, or a failure. */
export interface RemoteSink {
  respond(status: number, pairs: readonly string[]): void
  /** A piece of the body; false: wait for `resume`. */
  data(bytes: Buffer): boolean
  end(): void
  fail(error: Error, lost?: Lost): void
  /** Called when the callee accepts more of the request. */
  drain(): void
}

/** The client on the remote side. */
export interface RemoteSide {
  request(adapted: AdaptedRequest, sink: RemoteSink): RequestBody
  /** Called when the caller accepts more of the response. */
  resume(): void
  /** Ends the request. `isWhole`: the response is complete, if only by its length. */
  end(isWhole: boolean): void
}

/** Connects the remote side; `opened` is called when it is connected, `failed` when it fails. */
export type Connect = (on: {readonly opened: () => void; readonly failed: (error: Error) => void}) => RemoteSide
