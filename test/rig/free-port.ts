import {once} from 'node:events'
import {createServer, type Server} from 'node:net'

/** Below the ports that runs give to apps and sidecars, and those that the system gives to anybody. */
const LOWEST = 10_000
const COUNT = 10_000
/** Browsers and `fetch` ask nothing there (Fetch Standard, “bad port”). */
const REFUSED = 10_080

/**
 * A port where nobody listens, and which no other test is given while this process lives: files run at the same time. The
 * number is held as the name of an abstract socket (unix(7)), which leaves the port itself free.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * COUNT)
    if (port === REFUSED) continue
    const hold = await listening(`\0pillion-test-port-${port}`)
    if (hold === undefined) continue
    hold.unref()
    const server = await listening(port)
    if (server === undefined) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Undefined: somebody else listens there. */
const listening = async (at: string | number): Promise<Server | undefined> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined)).listen(at, () => resolve(server))
  })

/** So many of them, each another one. */
export const freePorts = async (count: number): Promise<readonly number[]> =>
  Promise.all(Array.from({length: count}, freePort))
