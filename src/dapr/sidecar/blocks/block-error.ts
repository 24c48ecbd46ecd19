import {messageOf} from '../../../model/errors.ts'

/** The gRPC codes of errors of building blocks (google.golang.org/grpc/codes). */
const GRPC_CODES = {
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13
} as const

/** The details of an error for programs (google.rpc.ErrorInfo, ResourceInfo, BadRequest), in its HTTP body and gRPC status. */
export interface BlockErrorDetails {
  readonly reason: string
  /** Null where Dapr has none. */
  readonly metadata: Readonly<Record<string, string>> | null
  readonly resource?: {readonly type: string; readonly name: string; readonly description: string}
  readonly badField?: {readonly field: string; readonly description: string}
}

/** The error of a failed call to a building block, as Dapr answers it over HTTP and gRPC (pkg/messages/predefined.go). */
export class BlockError extends Error {
  readonly errorCode: string
  readonly status: number
  readonly grpcCode: number
  readonly details: BlockErrorDetails | undefined

  constructor(
    [status, grpc, errorCode]: readonly [status: number, grpc: keyof typeof GRPC_CODES, errorCode: string],
    message: string,
    details?: BlockErrorDetails
  ) {
    super(message)
    this.name = 'BlockError'
    this.status = status
    this.grpcCode = GRPC_CODES[grpc]
    this.errorCode = errorCode
    this.details = details
  }
}

/** Returns a function that makes one of Dapr's errors, with a reason appended to its text. */
export const daprError =
  (...[kind, text, details]: ConstructorParameters<typeof BlockError>) =>
  (why: string): BlockError =>
    new BlockError(kind, text + why, details)

/** Returns a handler for `catch`, which throws this error with the caught error's message appended to its text. */
export const rethrowAs =
  (...of: ConstructorParameters<typeof BlockError>) =>
  (error: unknown): never => {
    throw daprError(...of)(messageOf(error))
  }
