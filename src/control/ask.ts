import {readdir} from 'node:fs/promises'
import type {IncomingMessage} from 'node:http'
import {join} from 'node:path'
import {http} from '../net/http1/node-http.ts'
import {existingFolders, runtimeFolders, type TellSkipped} from './folder.ts'

/** A socket that a run may answer at. */
export interface RunSocket {
  /** The run's own folder: the first eight letters of its mark. */
  readonly name: string
  readonly path: string
}

/** Where runs of the user may answer; nobody has been asked yet. */
export async function runSockets(
  env: Readonly<Record<string, string | undefined>>,
  tellSkipped: TellSkipped = () => undefined
): Promise<readonly RunSocket[]> {
  const sockets: RunSocket[] = []
  for (const folder of existingFolders(runtimeFolders(env), tellSkipped)) {
    for (const name of await readdir(folder)) sockets.push({name, path: join(folder, name, 'socket')})
  }
  return sockets
}

/** What a call meets when the run ends or has ended. */
export const GONE = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/** Asks a run; settles with the head of its answer. Rejects with the system's error where nobody answers. */
export const send = async (
  socketPath: string,
  method: string,
  path: string,
  signal?: AbortSignal
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    http
      .request({socketPath, method, path, agent: false, ...(signal && {signal})}, resolve)
      .on('error', reject)
      .end()
  })

/** The whole of an answer. */
export async function text(answer: IncomingMessage): Promise<string> {
  let whole = ''
  answer.setEncoding('utf8')
  for await (const piece of answer) whole += piece as string
  return whole
}
