import {readdir} from 'node:fs/promises'
import {request, type IncomingMessage} from 'node:http'
import {join} from 'node:path'
import {codeOf} from '../errors.ts'
import {existingFolders, runtimeFolders} from './folder.ts'
import type {RunListing} from './messages.ts'

/** A run that answers. */
export interface FoundRun {
  readonly listing: RunListing
  /** Ends the run; settles when its process is gone. */
  stop(): Promise<void>
  /** Ends one app and its door; false where the run has no such app. Settles when both are gone. */
  stopApp(id: string): Promise<boolean>
}

/** How long a run may take to tell about itself before `list` goes on without it. */
const PATIENCE_MS = 2000

/** All runs of the user that answer, oldest first. Folders without an answering socket are passed over. */
export async function findRuns(env: Readonly<Record<string, string | undefined>>): Promise<readonly FoundRun[]> {
  const sockets: string[] = []
  for (const folder of existingFolders(runtimeFolders(env))) {
    for (const name of await readdir(folder)) sockets.push(join(folder, name, 'socket'))
  }
  const found = await Promise.all(sockets.map(ask))
  return found.filter(run => run !== undefined).toSorted((a, b) => a.listing.startedAt - b.listing.startedAt)
}

async function ask(socketPath: string): Promise<FoundRun | undefined> {
  let listing: RunListing
  try {
    const answer = await send(socketPath, 'GET', '/run', AbortSignal.timeout(PATIENCE_MS))
    listing = JSON.parse(await text(answer)) as RunListing
  } catch (error) {
    if (GONE.has(codeOf(error)) || (error instanceof Error && error.name === 'AbortError')) return undefined
    throw error
  }
  return {
    listing,
    stop: async () => {
      try {
        await text(await send(socketPath, 'POST', '/stop'))
      } catch (error) {
        if (!GONE.has(codeOf(error))) throw error
      }
    },
    stopApp: async id => {
      try {
        const answer = await send(socketPath, 'POST', `/apps/stop?id=${encodeURIComponent(id)}`)
        await text(answer)
        return answer.statusCode === 204
      } catch (error) {
        if (GONE.has(codeOf(error))) return true // it was the last one: the run has ended with it
        throw error
      }
    }
  }
}

/** What a call meets when the run ends or has ended. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

const send = async (socketPath: string, method: string, path: string, signal?: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request({socketPath, method, path, ...(signal && {signal})}, resolve)
      .on('error', reject)
      .end()
  })

async function text(answer: IncomingMessage): Promise<string> {
  let whole = ''
  answer.setEncoding('utf8')
  for await (const piece of answer) whole += piece as string
  return whole
}
