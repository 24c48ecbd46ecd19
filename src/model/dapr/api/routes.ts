import {OPERATIONS, type ApiOperation} from './api.ts'

/** An operation that was found by its path. */
interface FoundOperation {
  readonly operation: ApiOperation
  /** Path of its route, with parameters as `*`. */
  readonly route: string
  /** The path segments of each parameter, as written. */
  readonly params: readonly (readonly string[])[]
}

const isPath = (word: string): boolean => word.includes('/')

const ROUTES = OPERATIONS.flatMap(operation => {
  const words = (operation.http ?? '').split(' ')
  const methods = words.filter(word => !isPath(word))
  return words.filter(isPath).map(path => ({methods, path, pattern: path.split('/'), operation}))
})

/** Route of calls to other apps; the fallback for all other requests. */
export const INVOKE_ROUTE = 'v1.0/invoke/*'

/** Version and name of the group of a route: `v1alpha1/state` for `v1.0-alpha1/state/*`. */
const groupOf = (route: string): string => route.split('/', 2).join('/').replace('.0', '').replace('-', '')

/** Returns whether a rule of `spec.api` names a route, by its group or the start of its path (Dapr: pkg/api/http/endpoints/endpoint.go). */
export const isRuleFor = (rule: string, route: string): boolean => rule === groupOf(route) || route.startsWith(rule)

/** Returns whether a rule of `spec.api` names any route. */
export const isHttpRule = (rule: string): boolean =>
  isRuleFor(rule, INVOKE_ROUTE) || ROUTES.some(({path}) => isRuleFor(rule, path))

/** Routes by their first two segments, which are never parameters. Each request is looked up here: no closures. */
const byPrefix = Map.groupBy(ROUTES, ({pattern: [version, api]}) => `${version ?? ''}/${api ?? ''}`)

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '**'
  if (isOpen ? segments.length < pattern.length : segments.length !== pattern.length) return false
  // the first two segments chose these routes
  for (let at = 2; at < pattern.length; at++) {
    const part = pattern[at]
    if (part !== '*' && part !== '**' && part !== segments[at]) return false
  }
  return true
}

/** Returns the operation at a clean, escaped path. Undefined if it is an invocation. */
export function operationAt(method: string, path: string): FoundOperation | undefined {
  if (!path.startsWith('/v1.0')) return undefined
  const segments = path.slice(1).split('/')
  const routes = byPrefix.get(`${segments[0] ?? ''}/${segments[1] ?? ''}`)
  const route = routes?.find(({methods, pattern}) => methods.includes(method) && fits(pattern, segments))
  if (route === undefined) return undefined
  const params: (readonly string[])[] = []
  for (let at = 2; at < route.pattern.length; at++) {
    const part = route.pattern[at]
    if (part === '**') params.push(segments.slice(at))
    else if (part === '*') params.push([segments[at] ?? ''])
  }
  return {operation: route.operation, route: route.path, params}
}

/** A method of gRPC's service `Dapr`. */
interface GrpcMethod {
  readonly operation: ApiOperation
  /** The rule of API access that names it: `v1alpha1/lock`. */
  readonly rule: string
}

/** Returns `Alpha1` for `v1alpha1/lock`, and '' for `v1/state`. */
function suffixOf(rule: string): string {
  const version = rule.slice(2, rule.indexOf('/'))
  return version.charAt(0).toUpperCase() + version.slice(1)
}

/** Names its gRPC method: the version is a suffix, unless the name ends with it. */
const methodOf = (name: string, suffix: string): string => (name.endsWith(suffix) ? name : name + suffix)

const rulesOf = ({grpc = ''}: {readonly grpc?: string}): readonly string[] => (grpc === '' ? [] : grpc.split(' '))

const METHODS: ReadonlyMap<string, GrpcMethod> = new Map(
  OPERATIONS.flatMap(operation =>
    rulesOf(operation).map(rule => [methodOf(operation.name, suffixOf(rule)), {operation, rule}] as const)
  )
)

const RULES: ReadonlySet<string> = new Set(OPERATIONS.flatMap(rulesOf))

/** Finds a gRPC method by its name, if Dapr has it. */
export const grpcMethod = (name: string): GrpcMethod | undefined => METHODS.get(name)

/** Whether a rule names any method. */
export const isGrpcRule = (rule: string): boolean => RULES.has(rule)
