const NAMES =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' '
  )

/** Returns a code of gRPC (google.rpc.Code) as Go writes it: `InvalidArgument`. */
export const codeText = (code: number): string => NAMES[code] ?? `Code(${code})`

/** Returns the code with this name in Go; -1: unknown. */
export const codeNamed = (text: string): number => NAMES.indexOf(text)
