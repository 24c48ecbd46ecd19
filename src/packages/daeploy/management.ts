import {rm} from 'node:fs/promises'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {writeTo} from '../../proxy/net/http1/write-to.ts'
import type {Reply} from '../../proxy/net/reply.ts'
import {readDeployment, type Deployment} from './deployment.ts'
import {unknownText, whyNotAssigned, whyNotRemoved, type ServiceInstance} from './instance.ts'
import {failure, fastApiJson, missing} from './replies.ts'

export interface ServiceLogsWanted {
  /** Number of last lines to return; 0: all kept lines. */
  readonly tail: number
  readonly isFollowed: boolean
  /** Time of the first line to return, in ms since 1970; 0: the first kept line. */
  readonly since: number
}

/** Functions of the run that the management API calls. */
export interface ManagementBackend {
  /** Lists the services in the order of the template, then of the deployments. */
  readonly list: () => readonly ServiceInstance[]
  readonly assign: (name: string, version: string) => void
  /** Removes an instance. Settles when it is removed. */
  readonly remove: (name: string, version: string) => Promise<void>
  /** Yields log lines in UTF-8 with their newlines, until the instance ends or `gone` is aborted. */
  readonly logs: (name: string, version: string, wanted: ServiceLogsWanted, gone: AbortSignal) => AsyncIterable<string>
  /** Returns the path of a new file for an uploaded archive. */
  readonly newUpload: () => string
  /** Starts a service. Resolves with the reason for a failure; '': its process was started. */
  readonly deploy: (deployment: Deployment) => Promise<string>
}

interface Named {
  readonly name: string
  readonly version: string
}

/** Date by which Docker marks an event that has not happened. */
const NEVER = new Date('0001-01-01T00:00:00.000Z')

/** The responses of the management API, with the shapes and texts of Daeploy's manager. */
export class Management {
  readonly #backend: ManagementBackend
  /** Names of deployments in progress. */
  readonly #deploying = new Set<string>()

  constructor(backend: ManagementBackend) {
    this.#backend = backend
  }

  list(): Reply {
    return fastApiJson(
      this.#backend
        .list()
        .map(({name, version, isMain}) => ({name, version, image: `${name}:${version}`, main: isMain}))
    )
  }

  inspect(query: string): Reply {
    const named = namedIn(Object.fromEntries(new URLSearchParams(query)), 'query')
    if ('status' in named) return named
    const instance = this.#find(named)
    if (instance === undefined) return unknown(named)
    const {status, startedAt = NEVER, finishedAt = NEVER} = instance
    return fastApiJson({
      Name: `/${named.name}-${named.version}`,
      State: {
        Status: status,
        Running: status === 'running',
        StartedAt: startedAt.toISOString(),
        FinishedAt: finishedAt.toISOString()
      }
    })
  }

  /** Streams a log. Resolves with an error response; undefined: the log was sent. */
  async logs(query: string, response: ServerResponse): Promise<Reply | undefined> {
    const given = Object.fromEntries(new URLSearchParams(query))
    const named = namedIn(given, 'query')
    if ('status' in named) return named
    const since = utcTime(given['since'] ?? '')
    const fault = {type: 'datetime_parsing', loc: ['query', 'since'], msg: 'Input should be a valid datetime'}
    if (since === undefined) return failure(422, [{...fault, input: given['since']}])
    if (this.#find(named) === undefined) return unknown(named)
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    response.writeHead(200, {'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff'})
    response.flushHeaders()
    if (response.req.method === 'HEAD') gone.abort()
    try {
      for await (const text of this.#backend.logs(named.name, named.version, logsWanted(given, since), gone.signal))
        await writeTo(response, text)
    } catch (error) {
      if (!gone.signal.aborted) throw error // ignores errors after the reader has disconnected
    }
    response.end()
    return undefined
  }

  assign(body: unknown): Reply {
    const named = namedIn(body, 'body')
    if ('status' in named) return named
    const why = whyNotAssigned(this.#backend.list(), named.name, named.version)
    if (why !== '') return failure(404, why)
    this.#backend.assign(named.name, named.version)
    return fastApiJson('OK')
  }

  async remove(body: unknown): Promise<Reply> {
    const named = namedIn(body, 'body')
    if ('status' in named) return named
    if (this.#find(named) === undefined) return unknown(named)
    const why = whyNotRemoved(this.#backend.list(), named.name, named.version)
    if (why !== '') return failure(403, why)
    await this.#backend.remove(named.name, named.version)
    return fastApiJson('OK')
  }

  async deploy(request: IncomingMessage): Promise<Reply> {
    const archive = this.#backend.newUpload()
    try {
      const deployment = await readDeployment(request, archive)
      return 'status' in deployment ? deployment : await this.#start(deployment)
    } finally {
      await rm(archive, {force: true})
    }
  }

  async #start(deployment: Deployment): Promise<Reply> {
    const {name, version} = deployment
    const segment = `${name}_${version}`
    if (this.#find(deployment) !== undefined || this.#deploying.has(segment))
      return failure(409, `Service with name: ${name} and version: ${version} already exists!`)
    this.#deploying.add(segment)
    try {
      const why = await this.#backend.deploy(deployment)
      return why === '' ? fastApiJson('Accepted', 202) : failure(422, why)
    } finally {
      this.#deploying.delete(segment)
    }
  }

  #find({name, version}: Named): ServiceInstance | undefined {
    return this.#backend.list().find(each => each.name === name && each.version === version)
  }
}

const unknown = ({name, version}: Named): Reply => failure(404, [unknownText(name, version)])

/** Reads name and version of a request. Returns FastAPI's error if one is missing. */
function namedIn(source: unknown, where: 'query' | 'body'): Named | Reply {
  const given = typeof source === 'object' && source !== null ? (source as Readonly<Record<string, unknown>>) : {}
  const {name, version} = given
  if (typeof name === 'string' && typeof version === 'string') return {name, version}
  const lacking = ['name', 'version'].filter(key => typeof given[key] !== 'string')
  return failure(
    422,
    lacking.map(key => missing(where === 'query' ? null : given, where, key))
  )
}

function logsWanted(given: Readonly<Record<string, string>>, since: number): ServiceLogsWanted {
  const tail = Number(given['tail'] ?? 0)
  return {
    tail: Number.isInteger(tail) && tail > 0 ? tail : 0,
    isFollowed: /^(?:true|1|yes|on|t|y)$/i.test(given['follow'] ?? ''),
    since
  }
}

/** Parses a time in Python's format or in seconds, in UTC by default. Returns ms since 1970; 0: empty text; undefined: invalid. */
function utcTime(text: string): number | undefined {
  if (/^\d*(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  const [, day = '', hour = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ]((?!24)\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i.exec(text) ?? []
  const time = Date.parse(`${day}T${hour}${zone}`)
  // refuses 30 February, for which Date.parse returns 2 March
  return Number.isNaN(time) || !new Date(Date.parse(day)).toISOString().startsWith(day) ? undefined : time
}
