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

/** A failed request, and how far the callee came with it. */
export interface Lost {
  /** The callee has not begun to handle it. */
  readonly isUnprocessed: boolean
  /** Its connection had carried others. */
  readonly wasUsed: boolean
}

/** Receives the result of a request: one response, or a failure. */
export interface RemoteSink {
  respond(status: number, pairs: readonly string[]): void
  /** A piece of the body; false: wait for `resume`. */
  data(bytes: Buffer): boolean
  end(): void
  fail(error: Error, lost?: Lost): void
  /** The callee takes more of the request. */
  drain(): void
}

/** The client on the remote side. */
export interface RemoteSide {
  request(adapted: AdaptedRequest, sink: RemoteSink): RequestBody
  /** The caller takes more of the response. */
  resume(): void
  /** The request is over. `isWhole`: the response has come, if only by its length. */
  end(isWhole: boolean): void
}

/** Connects the remote side; `opened` is called when it is connected, `failed` when it fails. */
export type Connect = (on: {readonly opened: () => void; readonly failed: (error: Error) => void}) => RemoteSide
