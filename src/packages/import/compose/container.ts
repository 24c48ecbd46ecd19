import {resolve} from 'node:path'
import {variablesHere, pointed, variablesOfFiles} from './addresses.ts'
import {notesOnMounts} from './names.ts'
import {boundMounts, envFileNotes, envFilesOf, mountsOf} from './project.ts'
import {
  buildOf,
  commandWords,
  folderOfStack,
  healthCommand,
  hostsOfService,
  isDatabaseImage,
  isRepository,
  leftOver,
  portsOf,
  publishedPort,
  sharedKeys,
  startWords,
  traefikLabels,
  type Build,
  type Env,
  type Service,
  type Stack
} from './service.ts'
import {pathTo, type ImportedApp} from '../imported.ts'
import {given, isMap, listedValues, mapOf, notCarried, passedOn, textValue, type Values} from '../reading/yaml-file.ts'

/** Keys and flags of `docker run`: `hostname` is `--hostname`. */
const flagsOfKeys = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(text.split(' ').map(each => [each.replace(/=.*/, ''), `--${each.replace(/.*=/, '')}`]))
/** Keys of a service, and the flags with one value that they mean. */
const FLAGS = flagsOfKeys(
  'user working_dir=workdir hostname platform shm_size=shm-size mem_limit=memory cpus pid ipc runtime network_mode=network'
)
/** The flags of lists: one for each item. */
const LIST_FLAGS = flagsOfKeys(
  'cap_add=cap-add cap_drop=cap-drop devices=device dns extra_hosts=add-host security_opt=security-opt tmpfs'
)
const SWITCHES = flagsOfKeys('privileged read_only=read-only init')

const KNOWN = [FLAGS, LIST_FLAGS, SWITCHES].flatMap(each => Object.keys(each))

/** Variables that the program `docker` reads itself. Variables of a container are not in its environment. */
const OF_DOCKER =
  /^(?:PATH|HOME|DOCKER_(?:API_VERSION|BUILDKIT|CERT_PATH|CONFIG|CONTENT_TRUST\w*|CONTEXT|CUSTOM_HEADERS|DEFAULT_PLATFORM|HOST|TLS\w*))$/

/** A service as a container, which `docker run` starts, and ends on a signal. */
export function containerApp(service: Service, stack: Stack): ImportedApp {
  const {values, id} = service
  const notes = [...service.notes]
  const build = buildOf(service, stack)
  const name = containerName(service, stack)
  const image = textValue(values['image']) || name
  const ports = publishedPorts(service)
  const network = textValue(values['network_mode'])
  const isHere = network === 'host' || stack.programs.has(sharedWith(network, stack))
  const called = isHere || network === '' || ports.length > 0 ? publishedPort(service, stack.file) : 0
  const {env, notes: ofEnv} = variablesHere(service, stack, isHere)
  notes.push(...ofEnv, ...advertised(service, env, stack))
  const ofDocker = Object.keys(env).filter(each => OF_DOCKER.test(each) || /^\d|\W/.test(each)) // a shell may drop `a.b`
  const ofBoth = Object.entries(env).filter(([variable]) => !ofDocker.includes(variable))
  const [entrypoint = '', ...entrypointArgs] = commandWords(values['entrypoint'])
  const start = [...entrypointArgs, ...commandWords(values['command'])]
  const run = [
    ...'docker run --rm --name'.split(' '),
    name,
    ...(network === '' ? ['--network', 'pillion'] : []),
    ...(network === '' ? hostsOfService(service) : []).flatMap(each => ['--network-alias', each]),
    ...ports.flatMap(({text}) => ['--publish', text]),
    ...(network === '' && !isDatabaseImage(service) ? hostFlags(stack) : []),
    ...flagsOf(values, stack, notes),
    ...Object.entries(LIST_FLAGS).flatMap(([key, flag]) =>
      itemsOf(key, values[key], notes).flatMap(item => [flag, item])
    ),
    ...traefikLabels(values).flatMap(label => ['--label', label]),
    ...mountsOf(values['volumes'], stack, notes).flatMap(mount => ['--volume', mount]),
    ...[...passed(service, env, stack, notes), ...passedOn(values['environment'])].flatMap(key => [
      '--env',
      ofDocker.includes(key) ? `${key}=${env[key] ?? ''}` : key
    ]),
    // an empty one removes the image's
    ...((values['entrypoint'] ?? null) === null ? [] : ['--entrypoint', entrypoint]),
    image,
    ...start.map(word => pointed(word, {service, stack, isHere}))
  ]
  if (build !== undefined)
    notes.push(
      'build: no program was found that runs outside of the image, so it is built and run as a container',
      ...notCarried(values['build'], /^build\.(?:context|dockerfile|target|args)$/, 'build.'),
      ...build.flags.slice(MAX_FLAGS).map(flag => `build: ${flag} is not carried over`)
    )
  const mounted = boundMounts(values['volumes']).map(([source]) => resolve(folderOfStack(stack), source))
  notes.push(...notesOnMounts(build === undefined ? mounted : [...mounted, build.folder], service, stack))
  return {
    id,
    folder: folderOfStack(stack),
    keys: given({
      command: build === undefined ? run : buildAndRun(build, {image, run, stack}),
      env: Object.fromEntries(ofBoth),
      envFile: envFilesOf(service, stack, folderOfStack(stack)),
      ...withStop(image, sharedKeys(service, stack, notes)),
      ready: readyOf(service, name, called)
    }),
    envHere: variablesHere(service, stack, true).env,
    published: ports.filter(({port}) => port > 0),
    image,
    notes: [...notes, ...envFileNotes(service, stack), ...leftOver(service, KNOWN)]
  }
}

/** The names of programs, which lead to this machine. */
const hostFlags = ({programs, services}: Stack): readonly string[] =>
  [...services.values()]
    .filter(({id}) => programs.has(id))
    .flatMap(each => hostsOfService(each).flatMap(name => ['--add-host', `${name}:host-gateway`]))

/** Notes on addresses of a server that it gives to its clients itself, as Kafka and MongoDB do: programs do not find its name. */
function advertised(service: Service, env: Env, {programs}: Stack): readonly string[] {
  if (programs.size === 0) return []
  const values = Object.entries(env).flatMap(([name, value]) => (/ADVERTISE|ANNOUNCE/i.test(name) ? [value] : []))
  const words = [...startWords(service), ...(healthCommand(service) ?? [])].filter(word =>
    /advertise|mongo|rs\.initiate/.test(word)
  )
  const names = hostsOfService(service).filter(name => [...values, ...words].some(text => text.includes(`${name}:`)))
  return names.map(name => `others get ${name} as its address: for programs write 127.0.0.1 ${name} into /etc/hosts`)
}

/** The published ports of a service. A port that compose would choose keeps its number, which callers and probes expect. */
function publishedPorts(service: Service): NonNullable<ImportedApp['published']> {
  const all = portsOf(service).map(({address, published: own, target, isUdp}) => {
    const published = own || target
    const text = [address, published, target].filter(part => part !== '').join(':') + (isUdp ? '/udp' : '')
    return {port: isUdp ? 0 : Number(/^\d+$/.exec(published)?.[0] ?? 0), text}
  })
  return all.filter(({text}, at) => all.findIndex(each => each.text === text) === at)
}

/** Names of the variables that its container gets. The program `docker` reads the env files, as they are when it starts. */
function passed(service: Service, env: Env, stack: Stack, notes: string[]): readonly string[] {
  const names = Object.keys(variablesOfFiles(service, stack))
  if (names.length > 0)
    notes.push(`env_file: the container gets ${names.join(', ')}, which are in it now: name a new one by --env`)
  return [...new Set([...names, ...Object.keys(env)])]
}

/** The readiness check: its health check, run in the container; else its port. */
function readyOf(service: Service, name: string, port: number | string): Values | undefined {
  const health = healthCommand(service)
  if (health !== undefined) return {command: ['docker', 'exec', name, ...health]}
  return port === 0 ? undefined : {tcp: port}
}

/** The service whose network or the like a key names, of a sidecar its app; '': none. */
function sharedWith(value: string, {leftOut}: Stack): string {
  const name = /^service:(.*)$/.exec(value)?.[1] ?? ''
  return leftOut.get(name) ?? name
}

const flagsOf = (values: Values, stack: Stack, notes: string[]): readonly string[] => [
  ...Object.entries(FLAGS).flatMap(([key, flag]) => {
    const value = textValue(values[key])
    const name = sharedWith(value, stack)
    const other = stack.services.get(name)
    if (!stack.programs.has(name))
      return value === '' ? [] : [flag, other === undefined ? value : `container:${containerName(other, stack)}`]
    notes.push(`${key}: ${name} is a program: here it is that of this machine`)
    return [flag, 'host']
  }),
  ...Object.entries(SWITCHES).flatMap(([key, flag]) => (values[key] === 'true' ? [flag] : []))
]

const containerName = ({id, values}: Service, stack: Stack): string =>
  textValue(values['container_name']) || `${stack.project}-${id.toLowerCase().replaceAll(/[^a-z0-9_.-]/g, '-')}`

/** A shell names nine arguments by one digit; three are the tag, the Dockerfile and the folder. */
const MAX_FLAGS = 6

/** The command that builds and runs an image. Values of the file reach the shell as arguments: none is part of the command's text. */
function buildAndRun(
  {folder, dockerfile, flags: all}: Build,
  {image, run, stack}: {image: string; run: readonly string[]; stack: Stack}
): readonly string[] {
  const flags = all.slice(0, MAX_FLAGS)
  const context = isRepository(folder) ? folder : pathTo(folder, folderOfStack(stack))
  const file = isRepository(folder) ? dockerfile : `${context}/${dockerfile}`
  const numbered = flags.map((_, index) => ` "$${index + 4}"`).join('')
  const script = `docker build --quiet --tag "$1" --file "$2"${numbered} "$3" && shift ${3 + flags.length} && exec "$@"`
  return ['sh', '-c', script, 'build', image, file, context, ...flags, ...run]
}

/** PostgreSQL waits for its clients on SIGTERM. */
const withStop = (image: string, keys: Values): Values =>
  /postgres|postgis|timescale|pgvector/.test(image) ? {...keys, stop: {signal: 'SIGINT', ...mapOf(keys['stop'])}} : keys

function itemsOf(key: string, value: unknown, notes: string[]): readonly string[] {
  const all = key === 'extra_hosts' && isMap(value) ? Object.entries(value).map(pair => pair.join(':')) : value
  return listedValues(all).flatMap(each => {
    if (isMap(each)) notes.push(`${key}: ${JSON.stringify(each)} is not carried over`)
    return [textValue(each)].filter(text => text !== '')
  })
}
