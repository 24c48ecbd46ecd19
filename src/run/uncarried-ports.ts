import {setTimeout as wait} from 'node:timers/promises'
import type {TellingReporter} from '../model/reporter.ts'
import {uncarriedText} from '../model/uncarried.ts'
import {portsHeldBy} from '../platform/port-owners.ts'
import {descendantsIn, look, lookAgain} from '../platform/process-table.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {debuggerPorts} from '../supervisor/messages/port-hint.ts'

/** Further looks at a process that does not listen, in ms: frameworks on the JVM listen late. */
const AGAIN_AFTER_MS = [15_000, 40_000]
/** First port that systems assign to programs that ask for any (ip_local_port_range of ip(7)). */
const FIRST_EPHEMERAL = 32_768
/** Usual numbers of debuggers (Node, debugpy, JDWP, Delve), of JMX, and of the sockets of hot reload (Vite, LiveReload). */
const OF_TOOLS = new Set([9229, 5678, 5005, 2345, 1099, 9010, 24_678, 35_729])
/** Servers of other protocols: a `port` carries HTTP. */
const NO_HTTP =
  /^(?:\S*\/)?(?:redis-server|valkey-server|postgres|mysqld|mariadbd|mongod|memcached|nats-server|beam\.smp|etcd|mosquitto|kcat)\b|kafka\.Kafka|QuorumPeerMain/

/** Finds ports at which an app listens without one in the template, and reports each app once. */
export async function notePorts(runtime: AppRuntime, reporter: TellingReporter, known: Set<string>): Promise<void> {
  const {id, pid, opening} = runtime
  for (const againMs of [...AGAIN_AFTER_MS, 0]) {
    if (pid === 0 || runtime.pid !== pid) return
    opening.listens = await servedPorts(pid)
    if (opening.listens.length > 0) break
    await wait(againMs, undefined, {ref: false})
  }
  if (opening.listens.length === 0 || known.has(id)) return
  known.add(id)
  reporter.tell(uncarriedText({id, listens: opening.listens}))
}

/** Returns the ports at which a process and its children probably serve HTTP. */
export async function servedPorts(pid: number): Promise<readonly number[]> {
  const {all} = await look()
  const own = [...new Set([...all.filter(each => each.group === pid), ...descendantsIn(all, [pid])])]
  const servers: number[] = []
  const ofTools = new Set(OF_TOOLS)
  for (const each of own) {
    const {command = ''} = (await lookAgain(each.pid)) ?? {}
    for (const number of debuggerPorts(command)) ofTools.add(number)
    if (!NO_HTTP.test(command)) servers.push(each.pid)
  }
  const held = (await portsHeldBy(servers)) ?? []
  return held.filter(port => port < FIRST_EPHEMERAL && !ofTools.has(port))
}
