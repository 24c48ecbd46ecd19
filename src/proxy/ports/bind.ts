import {unlink} from 'node:fs/promises'
import {connect, type Server} from 'node:net'
import {join} from 'node:path'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {BACKLOG, createClaim} from '../net/claimed-server.ts'
import {makeFolder} from '../../platform/make-folder.ts'

/** The protocols of a sidecar's API. */
export type Api = 'http' | 'grpc'

/** A unix domain socket of a sidecar, with Dapr's file name (pkg/api/http/server.go, pkg/api/grpc/server.go). */
export const socketPath = (folder: string, appId: string, api: Api): string =>
  join(folder, `dapr-${appId}-${api}.socket`)

/**
 * Listens on a sidecar's unix domain socket. Removes the socket of a dead run first; the file is deleted when the server closes. Throws a
 * UserError if another process listens there, or the folder is not writable.
 */
export async function listenOnSocket(folder: string, appId: string, api: Api): Promise<Server> {
  const path = socketPath(folder, appId, api)
  try {
    makeFolder(folder)
    if (await isDead(path)) await unlink(path)
    return await startListening(server => server.listen({path, backlog: BACKLOG}))
  } catch (error) {
    const why = codeOf(error) === 'EADDRINUSE' ? 'another process listens there' : messageOf(error)
    throw new UserError(`the socket of app "${appId}" cannot be opened at ${path}: ${why}`, {cause: error})
  }
}

/** Whether no process listens on the socket any more. */
const isDead = async (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(path)
    socket
      .on('connect', () => {
        socket.destroy()
        resolve(false)
      })
      .on('error', error => resolve(codeOf(error) === 'ECONNREFUSED'))
  })

/** Waits until a server listens. The server keeps early connections until it is served. */
export const startListening = async (listenOf: (server: Server) => void): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createClaim()
    listenOf(server.once('error', reject).once('listening', () => resolve(server.off('error', reject))))
  })
