import {isDataServer} from '../../files/config/data-server.ts'
import type {AppPlan, ChannelPlan, Plan} from '../../model/plan.ts'
import {movedText, movedValue, portsNamed, type MovedPorts} from '../../model/moved-ports.ts'
import {READS_PORT} from '../../model/port-readers.ts'
import {templateIdentity} from '../../platform/paths.ts'
import {freeAppPort, usualAppPorts} from './app-port.ts'

/**
 * Chooses free ports that replace all fixed ports of a template in a copy. The choice is stable: it depends on the template's real path, the
 * name of the copy, and the port. `known`: replacements of an earlier choice, which stay. `heldByCopy`: ports of the apps of another copy.
 */
export async function movedPorts(
  plan: Plan,
  known: MovedPorts = new Map(),
  heldByCopy: HeldPorts = new Map()
): Promise<MovedPorts> {
  const moved = new Map(known)
  const file = templateIdentity(plan.file)
  const fixed = new Set([...fixedPorts(plan), ...everyApp(plan).flatMap(app => secondPorts(app, plan, heldByCopy))])
  const taken = new Set([...fixed, ...moved.values()])
  for (const port of fixed) {
    if (moved.has(port)) continue
    const to = await freeAppPort(taken, {
      whose: `this copy, in place of ${port}`,
      wanted: usualAppPorts(`${file}\n${plan.copy ?? ''}\n${port}`)
    })
    taken.add(to)
    moved.set(port, to)
  }
  return moved
}

/** Whether an app's port cannot be moved: the app has no command, is on another machine, or its code fixes the port. */
const isUnmoved = ({command, channel, fixedPort}: AppPlan): boolean =>
  command.length === 0 || channel.address !== '' || fixedPort > 0

/** Returns the ports that a template fixes, also of apps that the run leaves out, since they can be started later. */
export function fixedPorts(plan: Plan): ReadonlySet<number> {
  const {managerPort} = plan
  const fixed = new Set(everyApp(plan).flatMap(app => [...portsOf(app), ...secondPorts(app, plan)]))
  if (typeof managerPort === 'number' && managerPort > 0) fixed.add(managerPort)
  return fixed
}

/** Ports at which processes of another copy listen, by app id. */
export type HeldPorts = ReadonlyMap<string, ReadonlySet<number>>

const everyApp = ({apps, leftOut = []}: Plan): readonly AppPlan[] => [...apps, ...leftOut]

/**
 * Returns further ports at which an app listens, such as a console or SMTP, from its variables and flags. A data server listens at all of them.
 * Another app may only call them, so that a port counts only if the app listens there in another copy (`heldByCopy`).
 */
export function secondPorts(app: AppPlan, plan: Plan, heldByCopy: HeldPorts = new Map()): readonly number[] {
  const {command, channel} = app
  // an app without a local process, or in a container, cannot collide with ports of this machine
  if (command.length === 0 || channel.address !== '' || ENGINE.test(command[0] ?? '')) return []
  const isOwn = ([name, value]: readonly [string, string]): boolean =>
    /port/i.test(name) && !everyApp(plan).some(other => other.id !== app.id && other.env[name] === value)
  const variables = Object.entries(app.env).filter(isOwn)
  const words = command.flatMap(word => word.split(/\s+/))
  const flags = words.filter((word, at) => /^\d+$/.test(word) && PORT_FLAG.test(words[at - 1] ?? ''))
  const named = portsNamed([
    ...[...variables, ...words.map(word => ['', word] as const)].map(([name, value]) => ({name, value})),
    ...flags.map(value => ({name: 'port', value}))
  ])
  const isServer = isDataServer(app)
  return [...named].filter(port => port >= 80 && (isServer || heldByCopy.get(app.id)?.has(port) === true))
}

/** Returns the fixed ports of an app and its sidecar. */
function portsOf(app: AppPlan): readonly number[] {
  const {channel, sidecar, ready, published} = app
  const own = isUnmoved(app) ? [] : [channel.autoPort ? 0 : channel.port, ready.kind === 'tcp' ? ready.port : 0]
  const {httpPort, grpcPort, internalGrpcPort, metricsPort} = sidecar
  return [...own, published?.number ?? 0, httpPort, grpcPort, internalGrpcPort, metricsPort].filter(port => port > 0)
}

/** Returns the template with other ports, also in `env` values and commands. */
export function isolatedPlan(plan: Plan, moved: MovedPorts): Plan {
  const {managerPort} = plan
  const isolated = (app: AppPlan): AppPlan => isolatedApp(app, moved)
  return {
    ...plan,
    movedPorts: new Map([
      ...moved,
      ...plan.apps.flatMap(portsOf).map(port => [port, moved.get(port) ?? port] as const)
    ]),
    managerPort: typeof managerPort === 'number' ? (moved.get(managerPort) ?? managerPort) : managerPort,
    apps: plan.apps.map(isolated),
    ...(plan.leftOut && {leftOut: plan.leftOut.map(isolated)})
  }
}

function isolatedApp(app: AppPlan, moved: MovedPorts): AppPlan {
  const {channel, sidecar, ready, command, env, published} = app
  const to = (port: number): number => moved.get(port) ?? port
  const {httpPort, grpcPort, internalGrpcPort, metricsPort} = sidecar
  const stays = isUnmoved(app)
  const numbers = [published?.inCode ?? channel.port, ready.kind === 'tcp' ? ready.port : 0]
  return {
    ...app,
    channel: stays || channel.autoPort ? channel : movedChannel(channel, to(channel.port)),
    sidecar: {
      ...sidecar,
      httpPort: to(httpPort),
      grpcPort: to(grpcPort),
      internalGrpcPort: to(internalGrpcPort),
      metricsPort: to(metricsPort)
    },
    ...(published && {published: {...published, number: to(published.number)}}),
    command: movedWords(command, moved, numbers),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, movedValue(name, value, moved)])),
    ready:
      ready.kind === 'tcp' && !stays
        ? {...ready, port: to(ready.port)}
        : ready.kind === 'command'
          ? {...ready, command: movedWords(ready.command, moved, numbers)}
          : ready
  }
}

/** Client programs and the default ports that they call. */
const USUAL: readonly (readonly [program: RegExp, port: number])[] = [
  [/\b(?:pg_isready|psql)\b/, 5432],
  [/\bredis-cli\b/, 6379],
  [/\b(?:mysql|mariadb)(?:-?admin)?\b/, 3306],
  [/\bmongosh\b/, 27_017]
]

/** Returns the ports that the command of a readiness check may call. A bare number counts as a port, too. */
export function portsAsked(command: readonly string[], env: AppPlan['env']): ReadonlySet<number> {
  const words = command.flatMap(word => word.split(/[\s"';]+/))
  const numbers = words
    .map(Number)
    .filter((number, at) => number >= 80 && !/^-(?!p$|-?port)/i.test(words[at - 1] ?? ''))
  const named = portsNamed(words.map(value => ({name: '', value})))
  const text = command.join(' ')
  const all = new Set([...numbers, ...named])
  if (all.size > 0 || READS_PORT.test(text)) return all
  const usual = USUAL.find(([program]) => program.test(text))?.[1]
  return new Set(usual === undefined ? [] : [usual === 5432 ? Number(env['PGPORT'] ?? usual) : usual])
}

/** Returns the command that checks an app's readiness. Replaces the published port by the app's own: calls at the published port would wait for the app. */
export function readyCommand({ready, published}: AppPlan, appPort: number): readonly string[] {
  if (ready.kind !== 'command') return []
  if (published === undefined) return ready.command
  return movedWords(ready.command, new Map([[published.number, appPort]]), [published.number])
}

/**
 * Replaces ports in the words of a command: `--port 3000`, `-p 3000`, `--publish 3000:5432` of a container. `own`: ports of the app itself,
 * which are also replaced without a flag, as in `http.server 8000`.
 */
const movedWords = (words: readonly string[], moved: MovedPorts, own: readonly number[]): readonly string[] =>
  words.map((word, at) => {
    const [number = ''] = /^\d+(?=$|:)/.exec(word) ?? []
    const flag = words[at - 1] ?? ''
    const isAlone = number === word
    const isPort = (isAlone && own.includes(Number(word))) || (isAlone ? PORT_FLAG : PUBLISH_FLAG).test(flag)
    if (number === '' || !isPort) return isAlone ? word : movedText(word, moved)
    return `${moved.get(Number(number)) ?? number}${word.slice(number.length)}`
  })

const ENGINE = /(?:^|\/)(?:docker|podman|nerdctl)(?:-compose)?$/
const PORT_FLAG = /^(?:-p|--?[\w.-]*port)$/i
/** Matches the flags of `docker run` with `<port on this machine>:<port in the container>`. */
const PUBLISH_FLAG = /^(?:-p|--publish)$/

const movedChannel = (channel: ChannelPlan, port: number): ChannelPlan =>
  port === channel.port ? channel : {...channel, port, isMoved: true}
