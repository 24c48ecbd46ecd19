import {createServer} from 'node:net'
import getPort from 'get-port'

/**
 * Below the ephemeral ports (Linux from 32768, macOS from 49152): while an app is being replaced, its port is free, and no
 * other process should get it by chance.
 */
const FIRST_PORT = 20_000
const COUNT = 10_000
const TRIES = 20

/** A free port for an app, other than the given ones; the wanted one if it is free, 0 = any. */
export async function freeAppPort(taken: ReadonlySet<number>, wanted = 0): Promise<number> {
  // not by get-port, which gives no number twice within seconds
  if (wanted !== 0 && !taken.has(wanted) && (await isFree(wanted))) return wanted
  const tries = Array.from({length: TRIES}, () => FIRST_PORT + Math.floor(Math.random() * COUNT))
  for (;;) {
    const port = await getPort({port: tries.filter(each => !taken.has(each))})
    if (!taken.has(port)) return port
  }
}

const isFree = async (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false)).listen({port, exclusive: true}, () => server.close(() => resolve(true)))
  })
