import getPort from 'get-port'

/**
 * Below the ephemeral ports (Linux from 32768, macOS from 49152): while an app is being replaced, its port is free, and no
 * other process should get it by chance.
 */
const FIRST_PORT = 20_000
const COUNT = 10_000
const TRIES = 20

/** A free port for an app, other than the given ones. */
export async function freeAppPort(taken: ReadonlySet<number>): Promise<number> {
  const tries = Array.from({length: TRIES}, () => FIRST_PORT + Math.floor(Math.random() * COUNT))
  for (;;) {
    const port = await getPort({port: tries.filter(each => !taken.has(each))})
    if (!taken.has(port)) return port
  }
}
