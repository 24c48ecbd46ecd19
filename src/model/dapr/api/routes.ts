import {OPERATIONS, type ApiOperation} from './api.ts'

/** An operation that was found by its path. */
export interface FoundOperation {
  readonly operation: ApiOperation
  /** The segments of each parameter, as they are written in the path. */
  readonly params: readonly (readonly string[])[]
}

const isPath = (word: string): boolean => word.includes('/')

const ROUTES = OPERATIONS.flatMap(operation => {
  const words = (operation.http ?? '').split(' ')
  const methods = words.filter(word => !isPath(word))
  return words.filter(isPath).map(path => ({methods, pattern: path.split('/'), operation}))
})

/** Routes by their first two segments, which are never parameters. Each request is looked up here: no closures. */
const byPrefix = Map.groupBy(ROUTES, ({pattern: [version, api]}) => `${version ?? ''}/${api ?? ''}`)

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '**'
  if (isOpen ? segments.length < pattern.length : segments.length !== pattern.length) return false
  // the first two are alike
  for (let at = 2; at < pattern.length; at++) {
    const part = pattern[at]
    if (part !== '*' && part !== '**' && part !== segments[at]) return false
  }
  return true
}

/** The operation at a clean, escaped path; undefined: it is an invocation. */
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
  return {operation: route.operation, params}
}
