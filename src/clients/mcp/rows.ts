import type {Route} from '../../control/api-client.ts'
import openapi from '../../observe/api/openapi.generated.js'
import type {ToolProperty} from './tool.ts'

interface Argument extends ToolProperty {
  /** Its name in the routes; parts of a path through objects are joined by dots. */
  readonly is?: string
  readonly any?: true
}

interface Written {
  readonly description: string
  readonly changes?: true
  readonly isForWork?: true
  readonly routes?: readonly string[]
  readonly hides?: readonly string[]
  readonly default?: Readonly<Record<string, unknown>>
  readonly arguments: Readonly<Record<string, string | Argument>>
  readonly required?: readonly string[]
}

interface Schema extends ToolProperty {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

interface Parameter {
  readonly $ref?: string
  readonly name: string
  readonly required?: boolean
  readonly schema: Schema
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {readonly content: Readonly<Record<string, {readonly schema: Schema}>>}
}

const DOCUMENT = JSON.parse(openapi) as {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, Operation>> & {readonly parameters?: readonly Parameter[]}>
  >
  readonly 'x-tools': Readonly<Record<string, Written>>
}

/** A request that a tool can send: its routes, and the types of what they take. */
export interface RouteChoice {
  readonly routes: readonly Route[]
  readonly takes: ReadonlyMap<string, Schema>
  readonly required: readonly string[]
}

/** A tool as `x-tools` of `schema/api.yaml` describes it. */
export interface Row extends Omit<Written, 'arguments' | 'routes'> {
  readonly name: string
  readonly choices: readonly RouteChoice[]
  readonly properties: Readonly<Record<string, ToolProperty>>
  /** Names in the routes of the arguments that have others there. */
  readonly names: Readonly<Record<string, string>>
}

/** Reads `GET /workflow + GET /workflow/timeline`. */
function choiceOf(text: string): RouteChoice {
  const routes = text.split(' + ') as Route[]
  const [method = '', path = ''] = routes[0]?.split(' ') ?? []
  const {parameters = [], requestBody} = DOCUMENT.paths[path]?.[method.toLowerCase()] ?? {}
  const all = [...(DOCUMENT.paths[path]?.parameters ?? []), ...parameters].map(resolved)
  const body = resolved(requestBody?.content['application/json']?.schema ?? {})
  return {
    routes,
    takes: new Map([...all.map(each => [each.name, each.schema] as const), ...Object.entries(body.properties ?? {})]),
    required: [...all.filter(({required}) => required).map(each => each.name), ...(body.required ?? [])]
  }
}

/** Follows a reference within the document. */
const resolved = <T extends {readonly $ref?: string}>(part: T): T =>
  part.$ref === undefined
    ? part
    : (part.$ref
        .split('/')
        .slice(1)
        .reduce((whole: unknown, key) => (whole as Record<string, unknown>)[key], DOCUMENT) as T)

function propertyOf(name: string, {is, any, ...own}: Argument, choices: readonly RouteChoice[]): ToolProperty {
  if (any === true || own.type !== undefined) return own
  const [first = '', inner] = (is ?? name).split('.')
  const found = choices.map(({takes}) => takes.get(first)).find(type => type !== undefined)
  const outer = found && resolved(found)
  const type = inner === undefined ? outer : outer?.properties?.[inner]
  if (type === undefined) throw new Error(`schema/api.yaml: no route has ${name}`)
  const {type: kind = 'string', items, enum: words, minimum, maximum} = type
  const known = Object.entries({items, enum: words, minimum, maximum}).filter(([, value]) => value !== undefined)
  return {type: kind, ...Object.fromEntries(known), ...own}
}

export const ROWS: readonly Row[] = Object.entries(DOCUMENT['x-tools']).map(([name, {arguments: given, ...row}]) => {
  const choices = (row.routes ?? []).map(choiceOf)
  const all = Object.entries(given).map(([key, each]): readonly [string, Argument] => [
    key,
    typeof each === 'string' ? {description: each} : each
  ])
  return {
    ...row,
    name,
    choices,
    properties: Object.fromEntries(all.map(([key, each]) => [key, propertyOf(key, each, choices)])),
    names: Object.fromEntries(all.flatMap(([key, {is}]) => (is === undefined ? [] : [[key, is]])))
  }
})
