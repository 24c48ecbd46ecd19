import {readdir} from 'node:fs/promises'
import type {IncomingMessage} from 'node:http'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {codeOf, UserError} from '../model/errors.ts'
import {http} from '../proxy/net/http1/node-http.ts'
import type {Outgoing} from './api-client.ts'
import {existingFolders, runtimeFolders, type OnSkipped} from './folder.ts'

/** The control socket of a run. */
export interface RunSocket {
  /** The run's own folder: the first eight characters of its marker. */
  readonly name: string
  readonly path: string
}

/** Returns the control sockets of all runs of the user, also of runs that have died: it sends no request. */
export async function runSockets(
  env: Environment,
  onSkipped: OnSkipped = () => undefined
): Promise<readonly RunSocket[]> {
  const found = existingFolders(runtimeFolders(env), onSkipped).map(async folder => {
    const entries = await readdir(folder, {withFileTypes: true})
    // the key of the dashboard is a file
    return entries.filter(each => each.isDirectory()).map(({name}) => ({name, path: join(folder, name, 'socket')}))
  })
  return (await Promise.all(found)).flat()
}

/** Error codes of a request to a run that is ending or has ended. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/** The error for a run that has ended, or was killed, before it answered. */
export class RunGone extends UserError {
  constructor(cause: unknown) {
    super('the run has ended before it has answered', {cause})
  }
}

/** Whether a request failed since its run is ending or has ended. */
export const isGone = (error: unknown): boolean => error instanceof RunGone || GONE.has(codeOf(error))

/** Returns the error to show to users: a `RunGone` for a run that has ended, else the error itself. */
export const asSeen = (error: unknown): unknown => (GONE.has(codeOf(error)) ? new RunGone(error) : error)

/** Sends a request to a run; resolves when the response head has arrived. Rejects with the system's error if nothing listens. */
export const sendToRun = async (
  socketPath: string,
  {method, path, body, accept, signal}: Outgoing
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...(accept !== undefined && {accept}),
      ...(body !== '' && {'content-length': Buffer.byteLength(body)})
    }
    http
      .request({socketPath, method, path, headers, agent: false, ...(signal && {signal})}, resolve)
      .on('error', reject)
      .end(body)
  })
