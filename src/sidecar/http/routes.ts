import type {Reply} from '../../net/reply.ts'
import type {ApiAccess} from '../../resources/api-access.ts'
import {isServed} from './api-access.ts'
import type {BlockCall} from './blocks/block-routes.ts'
import {UNBUILT_TEXT, type Unbuilt} from '../unbuilt.ts'
import {apiError} from './errors.ts'

/** The action for a known path and method. */
export type Action =
  | {readonly kind: 'health'}
  | {readonly kind: 'outbound-health'}
  | {readonly kind: 'metadata'}
  | {readonly kind: 'put-metadata'; readonly key: string}
  | {readonly kind: 'shutdown'}
  | ({readonly kind: 'block'} & BlockCall)
  | {readonly kind: 'reply'; readonly reply: Reply; readonly unbuilt?: Unbuilt}

/** The parameters of a route's path, and the requested app. */
interface Match {
  readonly method: string
  readonly params: readonly string[]
  readonly appId: string
  readonly query: string
  /** Why the component in the first parameter is missing, in brackets; '' if no file defines it. */
  readonly why: () => string
}

/** Explains why a Component that a file defines is missing, in brackets after a space; '' if no file defines it. */
export type WhyMissing = (component: string) => string

/** A request to the API: a clean, escaped path, the query with its `?`, and the app of the sidecar. */
export interface ControlContext {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly appId: string
  readonly whyMissing: WhyMissing
  /** The APIs that are served; undefined: all. */
  readonly apiAccess?: ApiAccess | undefined
}

interface Route {
  readonly methods: string
  /** `*` is one segment, `**` one or more, at the end: both are parameters. */
  readonly path: string
  readonly action: (match: Match) => Action
}

const respond =
  (make: (match: Match) => Reply): Route['action'] =>
  match => ({kind: 'reply', reply: make(match)})

/** A call to a building block. */
const block =
  (call: BlockCall['call']): Route['action'] =>
  ({params}) => ({kind: 'block', call, params})

/** What is not built yet: Dapr's error for what is not configured, with the reason in brackets. */
const unbuilt =
  (what: Unbuilt, make: (match: Match, why: string) => Reply): Route['action'] =>
  match => ({kind: 'reply', reply: make(match, ` (${UNBUILT_TEXT[what]})`), unbuilt: what})

const crypto = unbuilt('cryptography', (match, why) =>
  apiError(500, 'ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED', `crypto providers not configured${match.why() || why}`)
)
const noPlacement = (_: Match, why: string): Reply =>
  apiError(400, 'ERR_ACTOR_NO_PLACEMENT', `placement service is not configured${why}`)
const actors = unbuilt('actors', noPlacement)
// they run on actors
const workflows = unbuilt('workflows', noPlacement)

const conversation = respond(({params: [name = ''], why}) =>
  apiError(400, 'ERR_CONVERSATION_NOT_FOUND', `failed finding conversation component ${name}${why()}`)
)

const JOBS: Readonly<Record<string, readonly [string, string]>> = {
  POST: ['DAPR_SCHEDULER_SCHEDULE_JOB', 'schedule'],
  GET: ['DAPR_SCHEDULER_GET_JOB', 'get'],
  DELETE: ['DAPR_SCHEDULER_DELETE_JOB', 'delete']
}

const jobs = unbuilt('jobs', ({method, appId}, why) => {
  const [code = '', verb = ''] = JOBS[method] ?? []
  return apiError(500, code, `failed to ${verb} job due to: there is no scheduler here${why}`, {
    reason: code,
    metadata: {appID: appId}
  })
})

const V1 = ['v1.0']
const ALPHA = ['v1.0-alpha1']
const ALPHA_AND_V1 = ['v1.0-alpha1', 'v1.0']
const WORKFLOWS = ['v1.0-alpha1', 'v1.0-beta1', 'v1.0']

const on = (versions: readonly string[], methods: string, path: string, action: Route['action']): Route[] =>
  versions.map(version => ({methods, path: `${version}/${path}`, action}))

/** Dapr's routes except invocation, which gets the rest (pkg/api/http; construct…Endpoints in each file). */
const ROUTES: readonly Route[] = [
  ...on(V1, 'GET', 'healthz', () => ({kind: 'health'})),
  ...on(V1, 'GET', 'healthz/outbound', () => ({kind: 'outbound-health'})),
  ...on(V1, 'GET', 'metadata', () => ({kind: 'metadata'})),
  ...on(V1, 'PUT', 'metadata/*', ({params: [key = '']}) => ({kind: 'put-metadata', key})),
  ...on(V1, 'POST', 'shutdown', () => ({kind: 'shutdown'})),
  ...on(V1, 'POST PUT', 'bindings/*', block('invoke-binding')),
  ...on(V1, 'GET', 'state/*/*', block('get-state')),
  ...on(V1, 'DELETE', 'state/*/*', block('delete-state')),
  ...on(V1, 'POST PUT', 'state/*', block('save-state')),
  ...on(V1, 'POST PUT', 'state/*/bulk', block('bulk-get-state')),
  ...on(V1, 'POST PUT', 'state/*/transaction', block('transact-state')),
  ...on(ALPHA, 'POST PUT', 'state/*/query', block('query-state')),
  ...on(ALPHA_AND_V1, 'POST PUT', 'publish/bulk/*/**', block('publish-bulk')),
  ...on(V1, 'POST PUT', 'publish/*/**', block('publish')),
  ...on(V1, 'GET', 'secrets/*/bulk', block('get-secrets')),
  ...on(V1, 'GET', 'secrets/*/*', block('get-secret')),
  ...on(ALPHA_AND_V1, 'GET', 'configuration/*', block('get-configuration')),
  ...on(ALPHA_AND_V1, 'GET', 'configuration/*/subscribe', block('subscribe-configuration')),
  ...on(ALPHA_AND_V1, 'GET', 'configuration/*/*/unsubscribe', block('unsubscribe-configuration')),
  ...on(ALPHA, 'POST', 'lock/*', block('lock')),
  ...on(ALPHA, 'POST', 'unlock/*', block('unlock')),
  ...on(ALPHA, 'PUT', 'crypto/*/encrypt', crypto),
  ...on(ALPHA, 'PUT', 'crypto/*/decrypt', crypto),
  ...['getkey', 'encrypt', 'decrypt', 'wrapkey', 'unwrapkey', 'sign', 'verify'].flatMap(verb =>
    on(ALPHA, 'POST', `subtlecrypto/*/${verb}`, crypto)
  ),
  ...on(['v1.0-alpha1', 'v1.0-alpha2'], 'POST', 'conversation/*/converse', conversation),
  ...on(ALPHA_AND_V1, 'POST GET DELETE', 'jobs/*', jobs),
  ...on(WORKFLOWS, 'GET', 'workflows/*/*', workflows),
  ...on(WORKFLOWS, 'POST', 'workflows/*/*/raiseEvent/*', workflows),
  ...['start', 'pause', 'resume', 'terminate', 'purge'].flatMap(verb =>
    on(WORKFLOWS, 'POST', `workflows/*/*/${verb}`, workflows)
  ),
  ...on(V1, 'POST PUT', 'actors/*/*/state', actors),
  ...on(V1, 'GET', 'actors/*/*/state/*', actors),
  ...on(V1, 'GET POST DELETE PUT', 'actors/*/*/method/*', actors),
  ...on(V1, 'GET POST DELETE PUT', 'actors/*/*/reminders/*', actors),
  ...on(V1, 'POST DELETE PUT', 'actors/*/*/timers/*', actors)
]

const fits = (pattern: readonly string[], segments: readonly string[]): boolean => {
  const isOpen = pattern.at(-1) === '**'
  if (isOpen ? segments.length < pattern.length : segments.length !== pattern.length) return false
  return pattern.every((part, at) => part === '*' || part === '**' || part === segments[at])
}

const withPattern = ROUTES.map(({methods, path, action}) => ({
  methods: methods.split(' '),
  pattern: path.split('/'),
  action
}))

/** By the first two segments, which no route has as parameters. */
const byPrefix = Map.groupBy(withPattern, ({pattern: [version, api]}) => `${version ?? ''}/${api ?? ''}`)

/** The action for a request to the sidecar's own API; undefined: it is an invocation. */
export const findRoute = (
  {method, path, query, appId, whyMissing, apiAccess}: ControlContext,
  unescape: (segment: string) => string
): Action | undefined => {
  if (!path.startsWith('/v1.0')) return undefined
  const segments = path.slice(1).split('/')
  const routes = byPrefix.get(`${segments[0] ?? ''}/${segments[1] ?? ''}`)
  const route = routes?.find(({methods, pattern}) => methods.includes(method) && fits(pattern, segments))
  if (route === undefined || !isServed(apiAccess, path.slice(1))) return undefined
  const params: string[] = []
  for (const [at, part] of route.pattern.entries())
    if (part === '*') params.push(unescape(segments[at] ?? ''))
    else if (part === '**') params.push(segments.slice(at).map(unescape).join('/'))
  return route.action({method, params, appId, query, why: () => whyMissing(params[0] ?? '')})
}
