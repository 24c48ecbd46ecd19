import {request} from 'node:http'
import type {Answer} from './command.ts'
import type {Program} from './program.ts'

/** The manager's address, without a slash at the end, from the line that tells it. */
export const managerOf = async (run: Program): Promise<string> =>
  (await run.waitForLine('Daeploy services at')).replace(/^.* at /, '').replace(/\/services\/$/, '')

export interface AskOptions {
  readonly method?: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** One request on a connection of its own; unlike `fetch` it sends any Host, and a body with any method. */
export const ask = async (url: string, {method = 'GET', body, headers = {}}: AskOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const ours = {'content-type': 'application/json', 'content-length': Buffer.byteLength(text)}
    const asking = request(
      url,
      {method, headers: {...headers, ...(body !== undefined && ours)}, agent: false},
      answer => {
        let whole = ''
        answer.setEncoding('utf8').on('data', (piece: string) => (whole += piece))
        answer.on('end', () => {
          resolve({status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string>, body: whole})
        })
      }
    )
    asking.on('error', reject).end(text)
  })
