import {OPERATIONS, type ApiOperation} from './api.ts'

/** A method of gRPC's service `Dapr`. */
export interface GrpcMethod {
  readonly operation: ApiOperation
  /** The rule of API access that names it: `v1alpha1/lock`. */
  readonly rule: string
}

/** `Alpha1` of `v1alpha1/lock`, nothing of `v1/state`. */
function suffixOf(rule: string): string {
  const version = rule.slice(2, rule.indexOf('/'))
  return version.charAt(0).toUpperCase() + version.slice(1)
}

/** A name may end with its version itself. */
const methodOf = (name: string, suffix: string): string => (name.endsWith(suffix) ? name : name + suffix)

const rulesOf = ({grpc = ''}: {readonly grpc?: string}): readonly string[] => (grpc === '' ? [] : grpc.split(' '))

const METHODS: ReadonlyMap<string, GrpcMethod> = new Map(
  OPERATIONS.flatMap(operation =>
    rulesOf(operation).map(rule => [methodOf(operation.name, suffixOf(rule)), {operation, rule}] as const)
  )
)

const RULES: ReadonlySet<string> = new Set(OPERATIONS.flatMap(rulesOf))

/** A method by its name; undefined: Dapr has none. */
export const grpcMethod = (name: string): GrpcMethod | undefined => METHODS.get(name)

/** Whether a rule names any method. */
export const isGrpcRule = (rule: string): boolean => RULES.has(rule)
