// model/dapr/: Dapr's API as data: operations, their names and their messages. This file has no imports.

/** An operation of Dapr's API. Its key is Dapr's name for it, in the API log too. */
export interface Operation {
  /** Its routes over HTTP: methods, then paths with their version. `*` is one segment, `**` one or more, at the end: both are parameters. */
  readonly http?: string
  /**
   * The versions and names of gRPC's APIs in access rules (Dapr: pkg/api/grpc/endpoints.go). A method is called as its
   * operation, with the version behind it unless it ends so: `TryLock` in `v1alpha1/lock` is TryLockAlpha1.
   */
  readonly grpc?: string
  /** Its name in the API log, if it has another one over HTTP. */
  readonly log?: string
  /** Its methods of gRPC are streams. */
  readonly isStream?: true
}

/** Words of Dapr and Pillion for the components of a block. */
export interface ComponentWords {
  /** The word for one of them in errors (Dapr: pkg/components, in each registry). */
  readonly one: string
  /** Describes their purpose. */
  readonly purpose: string
  /** The word in the names of default policies (Dapr: pkg/resiliency). */
  readonly policies: string
  /** Name of the metrics that count their calls. Default: other metrics count them, or none. */
  readonly counted?: string
}

/** The part of Dapr's API that belongs to one building block. */
export interface BlockApi {
  /** The words for its components; left out: its calls name none. */
  readonly components?: ComponentWords
  /** Parts of the codes of its errors (`a|b`), and their names in metrics (Dapr: pkg/messages/errorcodes). */
  readonly errors?: `${string} ${string}`
  readonly operations: Readonly<Record<string, Operation>>
}
