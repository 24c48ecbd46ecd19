/** Requests to the control socket of the run of a rig. */
import {existsSync, readdirSync} from 'node:fs'
import {request, type IncomingMessage} from 'node:http'
import {join} from 'node:path'
import type * as Api from '../../src/model/api.generated.ts'
import type {Rig} from './rig.ts'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly json: unknown
}

/** Of the only run of this rig. */
export function controlSocket(rig: Rig): string {
  const paths = readdirSync(rig.runtimeDir)
    .map(name => join(rig.runtimeDir, name, 'socket'))
    .filter(path => existsSync(path))
  const [only] = paths
  if (only === undefined || paths.length > 1) throw new Error(`${paths.length} runs, not one`)
  return only
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Resolves with the head of the response. */
export const open = async (
  socketPath: string,
  path: string,
  {method = 'GET', headers = {}, body = ''}: Asking = {}
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request({socketPath, path, method, headers, agent: false}, resolve).on('error', reject).end(body)
  })

export async function ask(socketPath: string, path: string, asking: Asking = {}): Promise<Answer> {
  const response = await open(socketPath, path, asking)
  let body = ''
  for await (const piece of response.setEncoding('utf8')) body += piece as string
  const type = response.headers['content-type'] ?? ''
  return {
    status: response.statusCode ?? 0,
    type,
    body,
    json: type.includes('json') && !type.includes('nd') ? JSON.parse(body) : undefined
  }
}

/** The apps of the run, as `ps -o json` has them: a question on the socket costs a hundredth of a command. */
export const appsOf = async (rig: Rig): Promise<readonly Api.App[]> =>
  ((await ask(controlSocket(rig), '/api/v1/apps')).json as Api.Apps).apps

/** The calls of the run, the latest last, as `calls -o ndjson` has them. */
export const recordedCalls = async (rig: Rig, q = ''): Promise<readonly Api.Call[]> => {
  const {json} = await ask(controlSocket(rig), `/api/v1/calls?limit=1000&q=${encodeURIComponent(q)}`)
  return (json as Api.Calls).calls.toReversed()
}

/** The lines of a response, as they come. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<string, undefined> {
  let rest = ''
  for await (const piece of response.setEncoding('utf8')) {
    const lines = (rest + (piece as string)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}
