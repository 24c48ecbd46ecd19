import {constants} from 'node:os'
import {dirname, isAbsolute, relative} from 'node:path'
import {pathFrom, type Imported, type ImportedFile} from '../imported.ts'
import {colonParts, splitWords} from '../reading/shell-words.ts'
import {portNumber} from '../reading/variables.ts'
import {variablesFiles, withValues} from './project.ts'
import {
  asMap,
  given,
  isMap,
  listedValues,
  mapOf,
  notCarried,
  textValue,
  textsOf,
  type Values
} from '../reading/yaml-file.ts'
import {parseGoDuration} from '../../../model/go-duration.ts'

/** The facts about an app in the container of its sidecar. */
export interface ComposeSidecar {
  readonly appId: string
  /** Keys of the app in the template. */
  readonly keys: Values
  /** Absolute paths on this machine. */
  readonly resources: readonly string[]
  readonly config: string | undefined
  readonly notes: readonly string[]
}

export type Env = Readonly<Record<string, string>>

/** A service of a compose file, with its bases. */
export interface Service {
  readonly id: string
  readonly values: Values
  readonly notes: readonly string[]
  readonly sidecar?: ComposeSidecar
}

/** The services of a compose file. */
export interface Stack {
  readonly file: ImportedFile
  /** The project's, as compose writes it. */
  readonly project: string
  /** Names of volumes by their ids in the file. */
  readonly volumes: ReadonlyMap<string, string>
  readonly services: ReadonlyMap<string, Service>
  /** The services by each name that is a host in their network. */
  readonly hosts: ReadonlyMap<string, Service>
  /** Services that the run itself replaces: a sidecar of Dapr, with the service that it belongs to, or another part of Dapr, with ''. */
  readonly leftOut: ReadonlyMap<string, string>
  /** Services that run as programs here, with the port at which each is called, 0 if it is not known; all others are containers. */
  readonly programs: Map<string, number>
  /** The port on which each of them listens in its container, 0 if it is not known. */
  readonly targets: Map<string, number>
}

/** A port of a service: on this machine (0: none is published), and in its container. */
export interface Port {
  /** The address at which it is published, '' for all. */
  readonly address: string
  readonly published: string
  readonly target: string
  readonly isUdp: boolean
}

/** The names by which others call a service: its own, that of its container, and its aliases. */
export function hostsOfService({id, values}: Service): readonly string[] {
  const aliases = Object.values(mapOf(values['networks'])).flatMap(each => textsOf(mapOf(each)['aliases']))
  const names = [id, textValue(values['container_name']), textValue(values['hostname']), ...aliases]
  return [...new Set(names)].filter(name => /^[\w.-]+$/.test(name))
}

/** The ports of a service, in the short and the long form. */
export function portsOf({values}: Service): readonly Port[] {
  return listedValues(values['ports']).map(each => {
    if (typeof each !== 'string') {
      const of = (key: string): string => textValue(mapOf(each)[key])
      return {address: of('host_ip'), published: of('published'), target: of('target'), isUdp: of('protocol') === 'udp'}
    }
    const parts = colonParts(each.replace(/\/(?:tcp|udp)$/, ''))
    const target = parts.at(-1) ?? ''
    return {target, published: parts.at(-2) ?? '', address: parts.slice(0, -2).join(':'), isUdp: each.endsWith('/udp')}
  })
}

const IMAGE_PORTS: readonly (readonly [RegExp, number])[] = [
  [/postgres|postgis|timescale|pgvector/, 5432],
  [/redis|valkey|dragonfly/, 6379],
  [/mysql|mariadb/, 3306],
  [/mssql|azure-sql/, 1433],
  [/mongo/, 27_017],
  [/rabbitmq/, 5672],
  [/kafka|redpanda/, 9092],
  [/elasticsearch|opensearch/, 9200],
  [/memcached/, 11_211],
  [/minio(?!\/mc)/, 9000],
  [/nats/, 4222],
  [/mailhog|mailpit/, 1025],
  [/nginx|httpd|caddy|traefik/, 80]
]

/** Whether a text is a port with the variables that the template has. */
export const isPort = (text: string, file: ImportedFile): boolean =>
  portNumber(withValues(text, file, variablesFiles(file).slice(0, 1))) > 0

/** The number at which a service is reached on this machine, 0: at none. `file`: that of its project, whose variables may have it. */
export function publishedPort(service: Service, file?: ImportedFile): number | string {
  const {published = '', target = ''} = portsOf(service).find(({isUdp}) => !isUdp) ?? {}
  if (file !== undefined && published.includes('$') && isPort(published, file)) return published
  return portNumber(published) || Number.parseInt(published, 10) || portNumber(target) || usualPort(service)
}

/** Whether a service is a database, a broker or a trap for mail by its image, and calls nothing. Web servers have lower ports. */
export const isDatabaseImage = ({id, values: {build, image}}: Service): boolean =>
  build === undefined && usualPort({id, values: {image}, notes: []}) >= 1025

/** The port of a container whose file publishes none: `expose`, or the usual port of the image. */
export const usualPort = ({values}: Service): number =>
  Number(textsOf(values['expose'])[0] ?? 0) ||
  (IMAGE_PORTS.find(([image]) => image.test(textValue(values['image'])))?.[1] ?? 0)

/** Returns the state for which a template waits in place of a condition of compose or process-compose. */
export const waitOf = (condition: string): string =>
  condition.includes('completed') ? 'completed' : /_(?:healthy|log_ready)$/.test(condition) ? 'ready' : 'started'

/** Keys that mean the same for a program and for a container. */
export function sharedKeys(service: Service, stack: Stack, notes: string[]): Values {
  const {values} = service
  const [restart] = textValue(values['restart']).replace('unless-stopped', 'always').split(':')
  return given({
    dependsOn: dependenciesOf(service, stack, notes),
    restart: ['always', 'on-failure'].find(each => each === restart),
    stop: given({
      signal: stopSignal(textValue(values['stop_signal']), 'stop_signal', notes),
      timeout: durationOf(textValue(values['stop_grace_period']))
    }),
    // compose starts the empty profile by default
    profiles: textsOf(values['profiles']).includes('') ? [] : textsOf(values['profiles'])
  })
}

/** The services that one waits for, also those whose network it shares, or to which it has a link. */
function dependenciesOf({values, id}: Service, {services, leftOut}: Stack, notes: string[]): Values {
  const shared = ['network_mode', 'ipc', 'pid'].flatMap(key => /^service:(.+)$/.exec(textValue(values[key]))?.[1] ?? [])
  const waited = new Map<string, string>(shared.map(name => [name, 'ready']))
  for (const link of textsOf(values['links'])) waited.set(link.replace(/:.*/, ''), 'started')
  for (const [typed, how] of Object.entries(asMap('depends_on', values['depends_on']))) {
    // an app and its sidecar are one here: the longer wait counts
    const [name, {condition, required}] = [leftOut.get(typed) ?? typed, mapOf(how)]
    const isMissing = !services.has(name) || textsOf(services.get(name)?.values['profiles']).length > 0
    if (required === 'false' && isMissing) notes.push(`depends_on: ${name}: not waited for, as it may be missing`)
    else if (!['ready', 'completed'].includes(waited.get(name) ?? '')) waited.set(name, waitOf(textValue(condition)))
  }
  return Object.fromEntries(
    [...waited]
      .map(([name, how]) => [leftOut.get(name) ?? name, how] as const)
      .filter(([name]) => services.has(name) && name !== id)
  )
}

/** How long compose, docker and process-compose wait for a program before they kill it, where their files do not say it. */
const GRACE = '10s'

/** A template whose apps have that time to end; an app's own stop counts before the common one. */
export const withGrace = (imported: Imported): Imported => ({
  ...imported,
  common: {...imported.common, stop: {timeout: GRACE}},
  apps: imported.apps.map(app => {
    const {stop} = app.keys
    return isMap(stop) ? {...app, keys: {...app.keys, stop: {...stop, timeout: stop['timeout'] ?? GRACE}}} : app
  })
})

/** A duration as a template has it, with one unit, of one as Go has it: `1m30s`. */
function durationOf(text: string): string | undefined {
  const ms = parseGoDuration(text)
  if (typeof ms === 'string') return undefined
  return /^\d+(?:ms|s|m)$/.test(text) ? text : ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`
}

/** Returns a signal that a template has; undefined for the usual one, and for others, which get a note. */
export function stopSignal(text: string, key: string, notes: string[]): string | undefined {
  const byNumber = Object.entries(constants.signals).find(([, number]) => number.toString() === text)?.[0]
  const name = byNumber ?? text.toUpperCase().replace(/^(?:SIG)?(?=.)/, 'SIG')
  if (['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGKILL'].includes(name)) return name
  if (!['', 'SIGTERM'].includes(name)) notes.push(`${key}: ${text} is not carried over: it gets SIGTERM`)
  return undefined
}

/** The command of a health check; undefined: there is none. */
export function healthCommand({values}: Service): readonly string[] | undefined {
  const {test, disable} = mapOf(values['healthcheck'])
  const words = textsOf(test)
  if (words.length === 0 || words[0] === 'NONE' || textValue(disable) === 'true') return undefined
  if (typeof test === 'string') return ['sh', '-c', test]
  return words[0] === 'CMD-SHELL' ? ['sh', '-c', words.slice(1).join(' ')] : words.slice(words[0] === 'CMD' ? 1 : 0)
}

/** Keys that are carried over, or that neither a program nor a container has a need of here. */
const KNOWN =
  'image|build|command|entrypoint|environment|env_file|ports|expose|depends_on|restart|stop_signal|stop_grace_period|profiles|healthcheck|container_name|networks|labels|logging|volumes|init|platform|develop|pull_policy|hostname|secrets|configs|x-.*'

/** Returns notes on keys without a meaning here. `known`: further keys that count. */
export const leftOver = ({values: {deploy, ...values}}: Service, known: readonly string[]): readonly string[] => [
  ...notCarried(values, new RegExp(`^(?:${[KNOWN, ...known].join('|')})$`)),
  ...notCarried(deploy, /^deploy\.(?:labels|mode|replicas|placement|update_config|endpoint_mode)$/, 'deploy.')
]

/** How an image is built: its folder, the Dockerfile, and further flags of `docker build`, one word each. */
export interface Build {
  /** Absolute, or the URL of a repository. */
  readonly folder: string
  readonly dockerfile: string
  readonly flags: readonly string[]
}

export function buildOf({values}: Service, {file}: Stack): Build | undefined {
  const {build} = values
  if (build === undefined || build === null) return undefined
  const {context, dockerfile, target, args} = mapOf(build)
  const named = textValue(build) || textValue(context) || '.'
  const folder = isRepository(named) ? named : pathFrom(file, named)
  const recipe = textValue(dockerfile) || 'Dockerfile'
  return {
    folder,
    dockerfile: isAbsolute(recipe) && !isRepository(named) ? relative(folder, recipe) : recipe,
    flags: [
      ...(textValue(target) === '' ? [] : [`--target=${textValue(target)}`]),
      // without a value docker takes it from the environment
      ...Object.entries(asMap('args', args)).map(
        ([name, value]) => `--build-arg=${name}${value === null ? '' : `=${textValue(value)}`}`
      )
    ]
  }
}

/** Whether docker fetches a context itself. */
export const isRepository = (context: string): boolean => /^(?:\w+:\/\/|git@|github\.com\/)/.test(context)

/** A command or entrypoint: a text is split into words, and no shell reads it (docs.docker.com/reference/compose-file). */
export const commandWords = (command: unknown): readonly string[] =>
  typeof command === 'string' ? splitWords(command) : textsOf(command)

export const startWords = ({values}: Service): readonly string[] =>
  [values['entrypoint'], values['command']].flatMap(each => commandWords(each))

/** Labels by which Traefik finds a container. */
export const traefikLabels = ({labels}: Values): readonly string[] =>
  Object.entries(asMap('labels', labels)).flatMap(([name, value]) =>
    name.startsWith('traefik.') ? [`${name}=${textValue(value)}`] : []
  )

export const folderOfStack = ({file}: Stack): string => dirname(file.path)
