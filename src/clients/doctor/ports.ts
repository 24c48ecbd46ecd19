import {createServer} from 'node:net'
import type {Environment} from '../../model/environment.ts'
import {copiesAmong} from '../../control/copies.ts'
import {livingRuns} from '../../control/living-runs.ts'
import {meet} from '../../files/config/hints.ts'
import {codeOf} from '../../model/errors.ts'
import {orElse} from '../../model/or-else.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {isSameTemplate} from '../../platform/paths.ts'
import {GIVE_LOOPBACK} from '../../platform/probe.ts'
import {nameOwner} from '../../proxy/ports/app-port.ts'
import {note, ok, fail, type Check} from './check.ts'
import {existsSync} from 'node:fs'
import {lookup} from 'node:dns/promises'
import {schemeOf} from '../../model/app-name.ts'
import {isLoopback} from '../../model/address.ts'
import {certificatePath, stateFolder} from '../../platform/state-folder.ts'

interface WantedPort extends Pick<AppPlan, 'profiles'> {
  readonly port: number
  /** Address of the listener; '': the app chooses it. */
  readonly host: string
  /** Owner of the port, for people: `appPort of "shop"`. */
  readonly whose: string
  /** The advice if the port is taken. */
  readonly advice: string
}

/** Checks whether the ports that the template names are free, and named once. Skips this while the template runs, since its run has the ports. */
export async function checkPorts(plan: Plan, env: Environment): Promise<readonly Check[]> {
  const living = orElse(() => livingRuns(env), []) // `checkFolders` reports a folder of runs that cannot be read
  const run = living.find(({templateFile}) => isSameTemplate(templateFile, plan.file))
  if (run !== undefined) return [note(`this template runs already (pid ${run.pid}): its ports are not looked at`, '')]
  const fault = await bindFault(0, '127.0.0.1')
  if (fault !== '') return [fail(`this machine has no 127.0.0.1 (${fault}), where sidecars listen`, GIVE_LOOPBACK)]
  const wanted = [...manager(plan), ...plan.apps.flatMap(app => portsOf(app, plan))]
  const [copy] = copiesAmong(living, {file: plan.file, copy: ''})
  const held = `${copy?.name} (pid ${copy?.pid}) runs the same template: where it has a port, a run takes another one here`
  const checks = [...twice(wanted), ...(copy === undefined ? await taken(wanted) : [note(held, '')])]
  return checks.length > 0 ? checks : [ok('every port that the template names is free')]
}

function portsOf(plan: AppPlan, {apps}: Plan): readonly WantedPort[] {
  const {id, profiles, sidecar, channel, command, published} = plan
  const {httpPort, grpcPort, metricsPort, internalGrpcPort} = sidecar
  const host = sidecar.listenAddresses[0] ?? '127.0.0.1'
  const advice = `End it, or choose another number for "${id}", or leave it out for a free one.`
  const ours = Object.entries({
    daprHTTPPort: httpPort,
    daprGRPCPort: grpcPort,
    metricsPort,
    daprInternalGRPCPort: internalGrpcPort
  }).map(([key, port]) => ({port, host, whose: `${key} of "${id}"`, advice}))
  const isItsOwn = command.length > 0 && !channel.autoPort && channel.address === ''
  const app = {
    port: isItsOwn ? channel.port : 0,
    host: '',
    whose: `appPort of "${id}"`,
    advice: `End it: "${id}" cannot listen there, and calls to it wait.`
  }
  // all instances and versions of an app share its published port, which counts once
  const isFirst = apps.find(each => each.id === id && each.published?.number === published?.number) === plan
  const shared = {
    port: isFirst ? (published?.number ?? 0) : 0,
    host: published?.host || '127.0.0.1',
    whose: `port of "${id}"`,
    advice
  }
  return [...ours, app, shared].flatMap(each => (each.port > 0 ? {...each, ...(profiles && {profiles})} : []))
}

const manager = ({managerPort}: Plan): readonly WantedPort[] =>
  typeof managerPort === 'number' && managerPort > 0
    ? [{port: managerPort, host: '127.0.0.1', whose: 'managerPort', advice: 'End it, or choose another managerPort.'}]
    : []

function twice(wanted: readonly WantedPort[]): readonly Check[] {
  return [...Map.groupBy(wanted, ({port}) => port)].flatMap(([port, all]) => {
    const users = all.filter(one => all.some(other => collide(one, other))).map(({whose}) => whose)
    return users.length === 0
      ? []
      : [fail(`port ${port} is named twice: ${users.join(', ')}`, 'Give each a number of its own.')]
  })
}

const EVERYWHERE = ['', '0.0.0.0', '::']

/** Whether two ports conflict: not if they are of apps of different profiles, which are alternatives, or at different addresses. */
const collide = (one: WantedPort, other: WantedPort): boolean =>
  one !== other &&
  meet(one, other) &&
  (one.host === other.host || [one.host, other.host].some(host => EVERYWHERE.includes(host)))

async function taken(wanted: readonly WantedPort[]): Promise<readonly Check[]> {
  const faults = new Map<string, string>()
  // one port after the other, each once: a probe must not find another probe
  for (const {port, host} of wanted) {
    const key = `${host} ${port}`
    faults.set(key, faults.get(key) ?? (await bindFault(port, host || '127.0.0.1')))
  }
  const checks = wanted.map(async ({port, host, whose, advice}) => {
    const fault = faults.get(`${host} ${port}`) ?? ''
    if (fault === '') return []
    if (fault !== 'EADDRINUSE')
      return [fail(`port ${port} (${whose}) cannot be had: ${fault}`, 'Choose a number above 1023.')]
    const owner = (await nameOwner(port)) || 'a program that we may not look at'
    return [fail(`port ${port} (${whose}) is taken by ${owner}`, advice)]
  })
  return (await Promise.all(checks)).flat()
}

/** Returns the error code of the system with which a port cannot be opened now; '' if it can. */
const bindFault = async (port: number, host: string): Promise<string> =>
  new Promise(resolve => {
    const server = createServer()
    server
      .once('error', error => resolve(codeOf(error)))
      .listen({port, host, exclusive: true}, () => server.close(() => resolve('')))
  })

/** A host name below `localhost`, such as an app gets. */
const ANY_NAME = 'pillion-doctor.localhost'

/** Checks whether host names of apps lead to this machine for programs, and whether they answer with HTTPS. */
export async function checkResolution(env: Environment): Promise<readonly Check[]> {
  const isTrusted = existsSync(certificatePath(stateFolder(env)))
  // a folder of runs that we may not read is reported by another check
  const all = orElse(() => livingRuns(env), []).flatMap(({names = {}}) => Object.keys(names))
  const own = all.filter(name => !name.endsWith('.localhost'))
  const unfound = await Promise.all(own.map(async name => ((await leadsHere(name)) ? [] : [name])))
  const plain = isTrusted ? own.filter(name => schemeOf(name, true) === 'http') : []
  return [
    (await leadsHere(ANY_NAME))
      ? ok('names of apps (NAME.localhost) resolve in programs of this machine')
      : note(
          'names of apps (NAME.localhost) resolve in browsers, not in programs of this machine',
          'Programs call apps at localhost: pillion url APP. Safari needs a line of /etc/hosts for each name.'
        ),
    ...unfound
      .flat()
      .map(name => note(`${name} does not lead to this machine`, `Add a line to /etc/hosts: 127.0.0.1 ${name}`)),
    isTrusted
      ? ok('names answer with HTTPS as well; trust --remove takes the authority back')
      : note('names answer with plain HTTP', 'pillion trust lets browsers trust HTTPS.'),
    ...plain.map(name => note(`${name} answers with plain HTTP`, 'The authority signs names below localhost and test.'))
  ]
}

async function leadsHere(name: string): Promise<boolean> {
  const found = await lookup(name).catch(() => undefined)
  return found !== undefined && isLoopback(found.address)
}
