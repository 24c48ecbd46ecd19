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

/** By the first two segments, which no route has as parameters. */
const byPrefix = Map.groupBy(ROUTES, ({pattern: [version, api]}) => `${version ?? ''}/${api ?? ''}`)

const fits = (pattern: readonly string[], segments: readonly string[]): boolean => {
  const isOpen = pattern.at(-1) === '**'
  if (isOpen ? segments.length < pattern.length : segments.length !== pattern.length) return false
  return pattern.every((part, at) => part === '*' || part === '**' || part === segments[at])
}

/** The operation at a clean, escaped path; undefined: it is an invocation. */
export function operationAt(method: string, path: string): FoundOperation | undefined {
  if (!path.startsWith('/v1.0')) return undefined
  const segments = path.slice(1).split('/')
  const routes = byPrefix.get(`${segments[0] ?? ''}/${segments[1] ?? ''}`)
  const route = routes?.find(({methods, pattern}) => methods.includes(method) && fits(pattern, segments))
  if (route === undefined) return undefined
  const params = route.pattern.flatMap((part, at) =>
    part === '**' ? [segments.slice(at)] : part === '*' ? [[segments[at] ?? '']] : []
  )
  return {operation: route.operation, params}
}
