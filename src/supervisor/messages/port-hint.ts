import {authorityOf} from '../../model/address.ts'
import type {AppPlan} from '../../model/plan.ts'
import {placesHeldBy, type ListenPlace} from '../../platform/port-owners.ts'
import {firstAccepting, statusOf} from '../../platform/probe.ts'
import {look, lookAgain} from '../../platform/process-table.ts'
import type {AppRuntime} from '../app-runtime.ts'
import {probeTargetOf} from '../process/readiness.ts'

/** The properties of an app that the hint needs. */
export type HintedApp = Pick<AppRuntime, 'plan' | 'pid' | 'appPort' | 'isListening'>

/** Matches ports of debuggers and JMX in a command: JDWP, Node's inspector (9229), JMX, debugpy, Delve. */
const DEBUGGER =
  /jdwp\b\S{0,200}?\baddress=(?:\S{0,50}:)?(\d+)|--inspect(?:-brk|-wait|-port)?(?:=(?:\S{0,50}:)?(\d+))?(?![\w-])|\bjmxremote(?:\.rmi)?\.port=(\d+)|\b(?:debugpy|dlv)\b.{0,200}?--listen[ =](?:\S{0,50}:)?(\d+)/g

/** Returns the ports of debuggers in a command or the value of a variable. */
export const debuggerPorts = (text: string): readonly number[] =>
  Array.from(text.matchAll(DEBUGGER), ([, ...ports]) => Number(ports.find(port => port !== undefined) ?? 9229))

/** Returns the addresses at which an app's processes listen, except debuggers; undefined: the system does not report them. */
export async function listeningOf({
  plan,
  pid
}: Pick<HintedApp, 'plan' | 'pid'>): Promise<readonly ListenPlace[] | undefined> {
  const pids = (await look()).all.filter(({group}) => group === pid).map(process => process.pid)
  const places = await placesHeldBy(pids)
  if (places === undefined || places.length === 0) return places
  const commands = await Promise.all(pids.map(async each => (await lookAgain(each))?.command ?? ''))
  const debugged = debuggerPorts([plan.command.join(' '), ...Object.values(plan.env), ...commands].join('\n'))
  return places.filter(({port}) => !debugged.includes(port))
}

/** Explains why an app is not ready: it listens elsewhere, or its response to `ready.http` is an error; '': no explanation. */
export async function portHint(app: HintedApp): Promise<string> {
  const {plan, pid, appPort, isListening} = app
  const {ready} = plan
  const isProbed = ready.kind === 'http' || (ready.kind === 'tcp' && [0, appPort].includes(ready.port))
  if (isListening || pid === 0 || appPort === 0 || !isProbed) return ''
  const places = await listeningOf(app)
  if (places === undefined) return ''
  const atPort = places.filter(({port}) => port === appPort)
  if (atPort.length > 0) return hintAtPort(plan, appPort, atPort)
  const wanted = `its appPort ${appPort}`
  if (places.length === 0) return `it does not listen on any port; ${wanted} is waited for`
  const ports = [...new Set(places.map(({port}) => port))]
  const found = `port${ports.length === 1 ? '' : 's'} ${ports.join(', ')}`
  return `it listens on ${found}, and not on ${wanted}`
}

/** Explains why an app that listens at its port is not ready: at another address, or with an error response; '': no explanation. */
async function hintAtPort(plan: AppPlan, appPort: number, places: readonly ListenPlace[]): Promise<string> {
  const target = probeTargetOf(plan, appPort)
  const host = await firstAccepting(target)
  const texts = (addresses: readonly string[]): string =>
    addresses.map(address => authorityOf(address, appPort)).join(' or ')
  if (host === undefined)
    return `it listens on ${texts(places.map(({address}) => address))}, and not on ${texts(target.addresses)}`
  if (plan.ready.kind !== 'http') return ''
  const {path} = plan.ready
  const status = await statusOf({...target, host, path})
  return status < 400 ? '' : `it answers GET ${path} with ${status}, and ready.http waits for 200 to 399`
}
