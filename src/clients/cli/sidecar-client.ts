import type {IncomingMessage, OutgoingHttpHeaders} from 'node:http'
import {join} from 'node:path'
import {codeOf, UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {readWhole} from '../../model/read-file.ts'
import {collect} from '../../platform/collector.ts'
import type {App} from '../../model/api.generated.ts'
import type {CommandContext} from './command-handler.ts'
import type {GivenFlags} from './given-flags.ts'
import {elsewhere, noRun, runsMeant} from './pick-run.ts'
import {errorReason} from './print.ts'
import {runFinder} from './run-here.ts'
import {hintOf} from './say.ts'

// An import of node:http would load more than we need.
const http = process.getBuiltinModule('node:http')

interface SidecarCall {
  readonly method: string
  /** The URL as Go prints it in errors; characters that a request line must not contain are escaped before sending. */
  readonly url: string
  readonly type: string
  readonly body: Buffer
  readonly headers?: OutgoingHttpHeaders
  /** The unix socket of the sidecar; '': use the URL. */
  readonly socket: string
}

export interface SidecarAnswer {
  readonly code: number
  /** Code and reason: `404 Not Found`. */
  readonly status: string
  readonly body: Buffer
}

/**
 * Returns the app with this id, in the oldest of the runs that the command is for (Dapr takes any). Otherwise throws a UserError with `message` and the next step.
 */
export async function findApp(
  id: string,
  {flags, asJson}: Pick<CommandContext, 'flags' | 'asJson'>,
  message: string
): Promise<App> {
  const finder = await runFinder(flags, asJson)
  const meant = runsMeant(finder.runs, finder.place, {id})
  for (const run of meant) {
    const app = run.listing.apps.find(each => each.id === id && each.httpPort > 0) // finds an app that --except left out, too
    if (app === undefined) continue
    finder.use(run)
    return app
  }
  if (meant.length > 0)
    throw new UserError(message, {
      explanation: `"${id}" is stopped: "pillion start ${id}" brings it back.`,
      code: 'app-stopped'
    })
  const {runs, place} = finder
  const ids = runs.flatMap(({listing}) => listing.apps.map(app => app.id))
  const near = ids.includes(id) ? '' : nearMiss(id, ids)
  const explanation = elsewhere(runs, place) || noRun(runs, place, id).explanation
  throw new UserError(message, {
    explanation: near === '' ? explanation : hintOf(`Did you mean ${near}?`, explanation),
    code: runs.length === 0 ? 'no-run' : 'no-such-app'
  })
}

/** The maximum size of `--data-file`. Sidecars accept 4 MiB unless their template sets another limit. */
const MAX_PAYLOAD_BYTES = 256 * 2 ** 20

/** Returns the content of `--data` or `--data-file`; `command` is for the message. Throws a UserError with Dapr's message. */
export function payloadOf(flags: GivenFlags, command: string): Buffer {
  const data = flags.text('data') ?? ''
  const file = flags.text('data-file') ?? ''
  if (data !== '' && file !== '')
    throw new UserError(`Only one of --data and --data-file allowed in the same ${command} command`)
  if (file === '') return Buffer.from(data)
  try {
    return readWhole(file, MAX_PAYLOAD_BYTES)
  } catch (error) {
    const handler = codeOf(error) === 'EISDIR' ? 'read' : 'open'
    throw new UserError(`Error reading payload from '${file}'. Error: ${handler} ${file}: ${errorReason(error)}`, {
      cause: error
    })
  }
}

/** Returns the socket of a sidecar in the folder of `-u`; '': `-u` is not given. */
export const socketIn = (folder: string, id: string): string =>
  folder === '' ? '' : join(folder, `dapr-${id}-http.socket`)

/** Sends a request to a sidecar; rejects with the message of Go's client if the connection fails, or breaks. */
export async function callSidecar(call: SidecarCall): Promise<SidecarAnswer> {
  const {method, url, type, body, headers: others, socket} = call
  const token = process.env['DAPR_API_TOKEN'] ?? ''
  const headers: OutgoingHttpHeaders = {
    ...others,
    'content-type': type,
    'content-length': body.length,
    ...(token !== '' && {'dapr-api-token': token})
  }
  const {hostname, port} = new URL(url)
  const path = escaped(url.replace(/^https?:\/\/[^/]*/, ''))
  const where = socket === '' ? {host: hostname.replaceAll(/[[\]]/g, ''), port} : {socketPath: socket}
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    http
      .request({...where, method, path, headers, agent: false}, resolve) // Node's own agent may go to a proxy
      .on('error', reject)
      .end(body)
  }).catch((error: NodeJS.ErrnoException) => {
    const verb = method.slice(0, 1) + method.slice(1).toLowerCase()
    const place = socket === '' ? `tcp ${hostname}:${port}` : `unix ${socket}`
    const {syscall = '', message} = error
    const at = syscall === '' ? '' : `${syscall === 'connect' ? 'dial' : syscall} ${place}: ${syscall}: `
    const why = message === 'socket hang up' ? 'EOF' : errorReason(error)
    throw new UserError(`${verb} "${url}": ${at}${why}`, {cause: error})
  })
  const code = answer.statusCode ?? 0
  const status = `${code} ${answer.statusMessage ?? ''}`
  const whole = await collect(answer, 0).catch((error: unknown) => {
    throw new UserError(`unexpected EOF: the response (${status}) has broken off`, {cause: error})
  })
  return {code, status, body: whole.take()}
}

const escaped = (path: string): string => path.replace(/#.*$/s, '').replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent)
