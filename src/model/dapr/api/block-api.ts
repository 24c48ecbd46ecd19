// model/dapr/: Dapr's API as data: operations, their names and their messages. This file has no imports.

/** An operation of Dapr's API. Its key is Dapr's name for it, also in the API log. */
export interface Operation {
  /** Its HTTP routes: methods, then paths with their version. `*` is one segment; `**`, at the end, one or more. Both are parameters. */
  readonly http?: string
  /**
   * Versions and names of gRPC APIs in access rules (Dapr: pkg/api/grpc/endpoints.go). The method is the operation's name with the
   * version, unless it ends with it: `TryLock` in `v1alpha1/lock` is TryLockAlpha1.
   */
  readonly grpc?: string
  /** Its name in the API log over HTTP, if different. */
  readonly log?: string
  /** Whether its gRPC methods are streams. */
  readonly isStream?: true
}

/** Words of Dapr and Pillion for the components of a block. */
export interface ComponentWords {
  /** Singular word for a component in errors (Dapr: pkg/components, in each registry). */
  readonly one: string
  /** Describes their purpose. */
  readonly purpose: string
  /** The word in the names of default policies (Dapr: pkg/resiliency). */
  readonly policies: string
  /** Name of the metrics that count its calls. Default: other metrics count them, or none. */
  readonly counted?: string
}

/** The part of Dapr's API that belongs to one building block. */
export interface BlockApi {
  /** Words for its components. Omitted if calls name no component. */
  readonly components?: ComponentWords
  /** Parts of the codes of its errors (`a|b`), and their names in metrics (Dapr: pkg/messages/errorcodes). */
  readonly errors?: `${string} ${string}`
  readonly operations: Readonly<Record<string, Operation>>
}
