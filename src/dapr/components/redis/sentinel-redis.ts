import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import {itemsIn, loadClient, orClosed, type RedisAddress, type RedisConnection} from '#redis'
import {MovableConnection} from './movable-connection.ts'

/** Pause between two questions for the successor of a lost master, in ms. */
const ASK_MS = 100

export interface Sentinels {
  readonly master: string
  readonly username?: string
  readonly password?: string
}

/**
 * Connects to the master that the sentinels at `address` (and `more`) name. When it fails, they are asked again for its successor (Redis:
 * Guidelines for Redis clients with support for Redis Sentinel).
 */
export async function connectBySentinels(address: RedisAddress, sentinels: Sentinels): Promise<RedisConnection> {
  const over = new AbortController()
  let losses = 0
  const lost = async (): Promise<void> => {
    root.suspend()
    if (losses++ > 0) return
    // the next master may be lost before all connections have moved
    for (let seen = 0; seen !== losses && !over.signal.aborted;)
      try {
        seen = losses
        await root.move()
      } catch {
        seen = 0
        await pause(ASK_MS, over.signal)
      }
    losses = 0
  }
  const open = async (): Promise<RedisConnection> => {
    const {ClientConnection} = await loadClient()
    let isLeft = false
    const leave = (): void => {
      if (isLeft) return
      isLeft = true
      void opening.then(
        async client => client.close(),
        () => undefined
      )
      void lost()
    }
    const listener = {lost: leave, back: () => {}, silent: leave}
    const at = await masterOf(address, sentinels)
    // the server may be lost before the connection is open
    const opening = ClientConnection.open(at, listener)
    const client = await opening
    // a former master may not know its new role yet
    const check = async (): Promise<void> => {
      const [role = ''] = itemsIn(await client.command(['ROLE']))
      if (String(role) !== 'master') throw new Error(`the master "${sentinels.master}" is changing`)
    }
    return orClosed(client, check())
  }
  const root = new MovableConnection(open, address.connectTimeoutMs ?? 5000, () => over.abort())
  return orClosed(root, root.connected())
}

/** Returns the address of the master from the first sentinel that knows it. */
async function masterOf(address: RedisAddress, {master, ...access}: Sentinels): Promise<RedisAddress> {
  const {host: own, port: ownPort, more = [], username: _, password: __, database: ___, ...rest} = address
  const failures: string[] = []
  const {ClientConnection} = await loadClient()
  for (const {host, port} of [{host: own, port: ownPort}, ...more]) {
    const at = `${host}:${port}`
    try {
      const sentinel = await ClientConnection.open({...rest, ...access, host, port})
      try {
        const found = await sentinel.command(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
        if (Array.isArray(found)) return {...address, host: String(found[0]), port: Number(found[1])}
        failures.push(`the sentinel at ${at} knows no master "${master}"`)
      } finally {
        await sentinel.close()
      }
    } catch (error) {
      failures.push(`the sentinel at ${at}: ${messageOf(error)}`)
    }
  }
  throw new Error(failures.join('; '))
}
