import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Route} from '../../control/api-client.ts'
import type {Answers} from '../../model/api.generated.ts'
import type {Via} from './events/event-reader.ts'
import {ApiProblem} from './problem.ts'
import {ownOf} from '../../model/own.ts'
import type {Environment} from '../../model/environment.ts'
import type {Pins} from '../replay/pins.ts'
import type {Replayer} from '../replay/replayer.ts'
import type {RunEvents} from './events/run-events.ts'
import type {RunFacts} from './run-facts.ts'
import type {WaitContext} from './wait/wait-context.ts'

export interface ApiRequest {
  /** Path segments by the name in braces, not decoded. */
  readonly at: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Body of the request; may be empty. */
  readonly body: string
  /** Aborted when the client disconnects. */
  readonly gone: AbortSignal
  readonly via: Via
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Answers a route. The result is sent as JSON. Undefined if the answer is already written. Throws a UserError. */
export type Answer<R extends Route> = (
  context: ApiContext,
  request: ApiRequest
) => Answers[R] | undefined | Promise<Answers[R] | undefined>

/** A route that only the control socket has, not the page. */
interface OnSocket<R extends Route> {
  readonly onSocket: Answer<R>
  /** Set if the body may be larger than on other routes. */
  readonly isLarge?: true
  /** Set if the body is bytes, not text: one latin1 character for each byte. */
  readonly isBytes?: true
  /** Set if the answer is sent without masking secrets. */
  readonly isPlain?: true
}

/** All routes. The compiler finds a missing route and a wrong path. */
export type RouteTable = {readonly [R in Route]: Answer<R> | OnSocket<R>}

/** The patterns of path parameters; any other parameter matches a segment. */
const KINDS: Readonly<Record<string, {readonly pattern: string; readonly words: string; readonly example: string}>> = {
  number: {pattern: String.raw`\d{1,10}`, words: 'a number', example: '7'},
  format: {pattern: 'har|curl', words: 'har or curl', example: 'har'},
  verb: {pattern: 'enable|disable', words: 'enable or disable', example: 'disable'},
  action: {
    pattern: 'suspend|resume|terminate|raise|rerun|skip',
    words: 'one of suspend, resume, terminate, raise, rerun, skip',
    example: 'suspend'
  },
  change: {pattern: 'run|pause|resume|delete', words: 'one of run, pause, resume, delete', example: 'run'}
}

interface Found {
  readonly answer: Answer<Route>
  readonly isForPages: boolean
  readonly isLarge: boolean
  readonly isBytes: boolean
  readonly isPlain: boolean
  readonly at: Readonly<Record<string, string>>
}

interface Row extends Omit<Found, 'at'> {
  readonly method: string
  readonly path: string
  readonly pattern: RegExp
}

/** Finds the route of a request. */
export class Router {
  readonly #rows: readonly Row[]

  constructor(routes: RouteTable) {
    this.#rows = Object.entries(routes).map(([route, row]: [string, Answer<Route> | OnSocket<Route>]) => {
      const [method = '', path = ''] = route.split(' ')
      const pattern = patternOf(path, name => ownOf(KINDS, name)?.pattern ?? ANYTHING)
      const isForPages = typeof row === 'function'
      const {isLarge = false, isBytes = false, isPlain = false} = isForPages ? {} : row
      return {method, path, pattern, isForPages, isLarge, isBytes, isPlain, answer: isForPages ? row : row.onSocket}
    })
  }

  /** Finds the action of a request. Throws an ApiProblem: 404 for an unknown path, 405 for a method that it lacks. */
  find(method: string, path: string): Found {
    const there = this.#rows.filter(({pattern}) => pattern.test(path))
    const row = there.find(each => each.method === method)
    if (row !== undefined) return {...row, at: row.pattern.exec(path)?.groups ?? {}}
    if (there.length === 0) throw this.#unknown(path)
    const methods = [...new Set(there.map(each => each.method))]
    const words = [methods.slice(0, -1).join(', '), methods.at(-1)].filter(Boolean).join(' or ')
    throw new ApiProblem(405, `${method} is not possible here`, `Use ${words}.`, {allow: methods.join(', ')})
  }

  #unknown(path: string): ApiProblem {
    const near = this.#rows.find(row => patternOf(row.path, () => ANYTHING).test(path))?.path
    const [, name = ''] = /\{(number|format|verb|action|change)\}/.exec(near ?? '') ?? []
    const kind = ownOf(KINDS, name)
    const hint =
      near === undefined || kind === undefined
        ? '/api/v1/openapi.json lists what there is.'
        : `In ${near}, ${name} is ${kind.words}: ${near.replace(`{${name}}`, kind.example)}`
    return new ApiProblem(404, `there is no ${path}`, hint)
  }
}

const ANYTHING = '[^/]+'

/** Returns the pattern of a path such as `/apps/{id}/why`, with a group for each name. */
const patternOf = (path: string, kindOf: (name: string) => string): RegExp =>
  new RegExp(
    `^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${kindOf(name)})`)}$`
  )

/** The source of a run's template. */
export interface TemplateSource {
  /** Absolute paths; empty without files. */
  readonly files: readonly string[]
  readonly isStdin: boolean
  /** The environment with which the template is read. */
  readonly env: Environment
}

/** Replays calls of a run. */
export interface Replays {
  readonly replayer: Replayer
  readonly pins: Pins
}

/** Sources of answers to requests. */
export interface ApiContext extends RunFacts {
  /** Replays calls; loaded by the first request that needs it. */
  readonly replays: () => Promise<Replays>
  /** The events of the run; loaded by the first request that needs them. */
  readonly events: () => Promise<RunEvents>
  /** Evaluates conditions; loaded by the first request that needs it. */
  readonly waits: () => Promise<WaitContext>
  readonly template: TemplateSource
}
