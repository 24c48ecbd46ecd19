import getPort from 'get-port'

/**
 * Below the numbers that systems give to connections and to whoever asks for any port (Linux from 32768, macOS from
 * 49152): while an app is exchanged nobody holds its port, and nobody is to get it by chance.
 */
const LOWEST = 20_000
const COUNT = 10_000
const TRIES = 20

/** A port for an app that takes any: free now, and none of these. */
export async function freeAppPort(taken: ReadonlySet<number>): Promise<number> {
  const tries = Array.from({length: TRIES}, () => LOWEST + Math.floor(Math.random() * COUNT))
  for (;;) {
    const port = await getPort({port: tries.filter(each => !taken.has(each))})
    if (!taken.has(port)) return port
  }
}
