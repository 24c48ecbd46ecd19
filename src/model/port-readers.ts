import type {Plan} from './plan.ts'

/** A command, or a check for readiness, that reads the number from a variable of Pillion. */
export const READS_PORT = /\$\{?(?:APP_)?PORT\b/

/** Returns apps of the isolated plan that get their port neither from their command nor from `env`: they must read PORT, or keep their port. */
export function portReaders(
  plan: Plan,
  isolated: Plan
): readonly {readonly id: string; readonly from: number; readonly to: number}[] {
  return plan.apps.flatMap((app, at) => {
    const now = isolated.apps[at]
    if (now === undefined || app.channel.port === now.channel.port) return []
    const words = [...now.command, ...(now.ready.kind === 'command' ? now.ready.command : [])]
    // the same variable with the same value in other apps is an address to call
    const isOthers = ([name]: readonly [string, string]): boolean =>
      plan.apps.some(other => other.id !== app.id && other.env[name] !== undefined && other.env[name] === app.env[name])
    const own = Object.entries(now.env).flatMap(entry => (isOthers(entry) ? [] : entry[1]))
    const isTold =
      words.some(word => READS_PORT.test(word)) ||
      [...now.command, ...own].some(text => text.includes(now.channel.port.toString()))
    return isTold ? [] : [{id: app.id, from: app.channel.port, to: now.channel.port}]
  })
}

/**
 * Returns apps that are called at a port which the template does not contain, or which containers call by name (`--add-host`). A caller
 * with the port in its code or files calls the other copy, unless that recognizes its callers.
 */
export const unnamedPorts = (
  {apps}: Plan,
  knowsCallers: boolean
): readonly {readonly id: string; readonly port: number}[] =>
  apps.flatMap(({id, published, ready}) => {
    const isHost = apps.some(({command}) =>
      command.some((word, at) => word === `${id}:host-gateway` && command[at - 1] === '--add-host')
    )
    const port = published?.number ?? (isHost && ready.kind === 'tcp' ? ready.port : 0)
    const isNamed = apps.some(({env, command}) =>
      [...Object.values(env), ...command].some(text => text.includes(port.toString()))
    )
    return port > 0 && (isHost || !(isNamed || knowsCallers)) ? [{id, port}] : []
  })
