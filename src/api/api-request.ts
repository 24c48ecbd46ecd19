/** A request to the API, without its transport. */
export interface ApiRequest {
  readonly method: string
  /** Without `/api/v1`. */
  readonly path: string
  readonly parameters: URLSearchParams
  /** '' if there is none. */
  readonly body: string
  /** Aborted when the client disconnects. */
  readonly gone?: AbortSignal
}
