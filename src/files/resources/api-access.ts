/** Which APIs a sidecar serves over one protocol (Dapr: pkg/config, APISpec): version and name, `v1.0/state` over HTTP, `v1/state` over gRPC. */
export interface ApiAccess {
  /** Empty: all that are not denied. */
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

/** What a Configuration restricts, by protocol; undefined: every API is served. */
export interface ApiAccesses {
  readonly http: ApiAccess | undefined
  readonly grpc: ApiAccess | undefined
}
