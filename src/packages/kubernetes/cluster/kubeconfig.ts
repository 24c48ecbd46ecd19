import {spawn, type ChildProcess, type SpawnOptions} from 'node:child_process'
import {existsSync} from 'node:fs'
import type {RequestOptions} from 'node:https'
import {delimiter, dirname, join, resolve} from 'node:path'
import {KubeConfig} from '@kubernetes/client-node/dist/config.js'
import {ExecAuth} from '@kubernetes/client-node/dist/exec_auth.js'
import {exportCluster, type Cluster, type Context, type User} from '@kubernetes/client-node/dist/config_types.js'
import {codeOf, messageOf, UserError} from '../../../model/errors.ts'
import {isLoopback} from '../../../model/address.ts'
import {orElse} from '../../../model/or-else.ts'
import {readTextBytes, readTextFile, utf8Text} from '../../../model/read-file.ts'
import {proxyOf} from '../../../proxy/net/external-adapter.ts'
import {sendSignal} from '../../../platform/process-group.ts'
import {descendantsIn, look} from '../../../platform/process-table.ts'
import {SingleFlight} from '../../../model/single-flight.ts'
import {parse} from 'yaml'

/** The cluster that a command talks to, and how to be let in. */
export interface ClusterAccess {
  readonly context: string
  /** The URL of the API server, without a slash at its end. */
  readonly server: string
  /** Everything goes there: `--namespace`, else the context's, else `default`. */
  readonly namespace: string
  /** The cluster runs on this machine, as far as its name and address tell. */
  readonly isLocal: boolean
  /** Credentials, certificates and proxy of one request. Rejects with a `UserError` if there are none. */
  options(): Promise<RequestOptions>
  /** The server refused the credentials: they are fetched again for the next request. */
  forget(): void
  /** A program that gives credentials has little time from now on, also one that is started later. */
  hurry(): void
}

/** How long a program may take to give credentials, if it cannot ask a person. */
const PROGRAM_MS = 180_000
/** The same after a second Ctrl-C. */
const HURRIED_MS = 5000

/** Names of contexts that tools for clusters on one machine give. */
const LOCAL_CONTEXT = /^(?:kind-.*|k3d-.*|minikube|docker-desktop|rancher-desktop|orbstack|colima|microk8s)$/

/**
 * Reads the kubeconfig as kubectl does: `KUBECONFIG`, which may name several files, else `~/.kube/config`, else that of a pod. A
 * context '' is the current one, a namespace '' that of the context.
 */
export function openAccess(
  wanted: {readonly context: string; readonly namespace: string},
  env: NodeJS.ProcessEnv,
  home: string
): ClusterAccess {
  const files = filesOf(env, home)
  const config = readAll(files)
  const shown = files.join(', ')
  const name = wanted.context || config.currentContext
  if (!name)
    throw new UserError(`no Kubernetes context is selected in ${shown}`, {
      explanation: `Select one with --context NAME, or with kubectl config use-context NAME.${known(config.contexts)}`
    })
  const context = config.contexts.find(each => each.name === name)
  if (context === undefined)
    throw new UserError(`there is no Kubernetes context "${name}" in ${shown}`, {
      explanation: known(config.contexts).trim()
    })
  const cluster = config.clusters.find(each => each.name === context.cluster)
  if (cluster === undefined)
    throw new UserError(`the context "${name}" names a cluster "${context.cluster}", which is not in ${shown}`)
  if (!URL.canParse(cluster.server))
    throw new UserError(`the server of the cluster "${cluster.name}" is not a URL: ${cluster.server}`)
  // without one the server is asked without credentials, as kubectl does
  if (context.user && !config.users.some(each => each.name === context.user))
    throw new UserError(`the context "${name}" names a user "${context.user}", which is not in ${shown}`)
  // for Go a proxy of SOCKS looks up the name, as it does for the library with an `h`
  const proxyUrl = (cluster.proxyUrl || proxyOf(new URL(cluster.server), env)).replace(/^socks5:/, 'socks5h:')
  return accessOf(() => readAll(files), context, {...cluster, proxyUrl}, wanted.namespace)
}

function accessOf(read: () => KubeConfig, context: Context, cluster: Cluster, namespace: string): ClusterAccess {
  const {hostname} = new URL(cluster.server)
  let program: ChildProcess | undefined
  let isHurried = false
  const selected = (): KubeConfig => {
    const config = read()
    const {cluster: described} = exportCluster(config.getCluster(cluster.name) ?? cluster) as {readonly cluster: object}
    const fresh = new KubeConfig()
    // the library speaks plain HTTP only where certificates are not verified
    const clusters = config.clusters.map(each => ({
      ...each,
      skipTLSVerify: each.skipTLSVerify || each.server.startsWith('http:'),
      proxyUrl: cluster.proxyUrl
    }))
    // and verifies no server for a context without a user
    const users = [...config.users, {name: context.user}]
    fresh.loadFromOptions({clusters, users, contexts: config.contexts, currentContext: context.name})
    const user = fresh.getCurrentUser()
    for (const each of fresh['authenticators'] as readonly object[])
      if (each instanceof ExecAuth)
        each['execFn'] = (...call: ProgramCall) => {
          program = startProgram(call, (user?.exec ?? {}) as ProgramOfUser, described)
          if (isHurried) endIn(HURRIED_MS, program)
          return program
        }
    return fresh
  }
  let current = selected()
  // a program that gives them runs once for all requests, also for those of which an old token is refused at the same time
  const asked = new SingleFlight<'credentials', RequestOptions>()
  return {
    context: context.name,
    server: cluster.server.replace(/\/+$/, ''),
    namespace: namespace || context.namespace || 'default',
    isLocal: LOCAL_CONTEXT.test(context.name) || isHere(hostname),
    options: async () =>
      asked.do('credentials', async () => {
        const options: RequestOptions = {}
        const user: KnownUser | null = current.getCurrentUser()
        try {
          await current.applyToHTTPSOptions(options)
          const {impersonation, tokenFile} = user ?? {}
          const token = tokenFile !== undefined && {Authorization: `Bearer ${readTextFile(tokenFile).trim()}`}
          return {...options, headers: {...(options.headers as object), ...impersonation, ...token}}
        } catch (error) {
          throw refused(error, user, context)
        }
      }),
    hurry() {
      isHurried = true
      endIn(HURRIED_MS, program)
    },
    forget() {
      if (asked.size > 0) return
      // who logs in again writes other credentials into the files; none go to another server
      const renewed = orElse(selected, current)
      if (renewed.getCurrentCluster()?.server === cluster.server) current = renewed
    }
  }
}

/** The library does not know the file of a token, which may change at any time, and comes before a `token`; nor all headers of who acts as someone else. */
type KnownUser = User & {tokenFile?: string; impersonation?: object}

/** A user as it is written, as far as the library does not read it. */
interface WrittenUser {
  readonly tokenFile?: string
  readonly 'as-groups'?: readonly string[]
  readonly 'as-uid'?: string
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>
}

function impersonationOf({'as-groups': groups, 'as-uid': uid, 'as-user-extra': extra}: WrittenUser): object {
  const others = Object.entries(extra ?? {}).map(([key, all]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, all])
  return {'Impersonate-Group': groups ?? [], 'Impersonate-Uid': uid ?? [], ...(Object.fromEntries(others) as object)}
}

/** How a kubeconfig names a program that gives credentials. */
interface ProgramOfUser {
  readonly apiVersion?: string
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
  readonly provideClusterInfo?: boolean
  command?: string
}
type ProgramCall = readonly [command: string, args: readonly string[], options: SpawnOptions]

/**
 * Starts a program as kubectl does (client-go, plugin/pkg/client/auth/exec): with the terminal to ask at, or with nothing, since the
 * library leaves a pipe open, on which it waits for ever.
 */
function startProgram(
  [command, args, {env = process.env}]: ProgramCall,
  {apiVersion, interactiveMode, provideClusterInfo}: ProgramOfUser,
  described: object
): ChildProcess {
  const interactive = interactiveMode !== 'Never' && [process.stdin, process.stderr].every(({isTTY}) => isTTY)
  if (interactiveMode === 'Always' && !interactive) throw new Error('it needs a terminal to ask at')
  const spec = {interactive, ...(provideClusterInfo === true && {cluster: described})}
  const KUBERNETES_EXEC_INFO = JSON.stringify({apiVersion, kind: 'ExecCredential', spec})
  const child = spawn(command, args, {
    env: {...env, KUBERNETES_EXEC_INFO},
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe']
  })
  if (interactive) child.stderr?.pipe(process.stderr, {end: false})
  else endIn(PROGRAM_MS, child)
  return child
}

/** Ends a program that gives nothing, and what it has started. What has left it may keep its output open. */
function endIn(ms: number, program: ChildProcess | undefined): void {
  const end = async (): Promise<void> => {
    program?.emit('error', new Error('it gave no answer'))
    const {all} = await look()
    // its number may be another one's once it has exited
    if (program?.pid !== undefined && program.exitCode === null && program.signalCode === null)
      for (const {pid} of descendantsIn(all, [program.pid])) sendSignal(pid, 'SIGKILL')
    program?.kill('SIGKILL')
    for (const stream of [program?.stdout, program?.stderr]) stream?.destroy()
  }
  setTimeout(() => void end(), ms).unref()
}

/** Why there are no credentials: a file cannot be read, or their program has failed, as without a network for a moment. */
export class NoCredentials extends UserError {}

function refused(error: unknown, user: User | null, {name}: Context): NoCredentials {
  const path = error instanceof Error && 'path' in error ? String(error.path) : ''
  const program = (user?.exec as ProgramOfUser | null)?.command ?? ''
  if (program === '') {
    const why = path === '' ? messageOf(error) : `cannot read ${path}: ${codeOf(error)}`
    return new NoCredentials(`cannot use the credentials of the Kubernetes context "${name}": ${why}`)
  }
  const isMissing = codeOf(error) === 'ENOENT'
  const why = isMissing
    ? 'it is not in PATH'
    : error instanceof SyntaxError || error instanceof TypeError
      ? 'it printed no ExecCredential'
      : messageOf(error).trim() || 'it failed without a word'
  const whose = `"${program}", which gives the credentials of the Kubernetes context "${name}"`
  const advice = isMissing ? 'Install it, or select another context with --context.' : 'You may have to log in again.'
  return new NoCredentials(`${whose}, failed: ${why}`, {explanation: advice})
}

function filesOf(env: NodeJS.ProcessEnv, home: string): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter(file => file !== '')
  return named.length > 0 ? [...new Set(named)] : [join(home, '.kube', 'config')]
}

/** Reads all files; as in kubectl, files that do not exist are skipped, and the first one that knows a name wins. */
function readAll(files: readonly string[]): KubeConfig {
  const whole = new KubeConfig()
  const present = files.filter(file => existsSync(file))
  if (present.length === 0) {
    if (process.env['KUBERNETES_SERVICE_HOST'] === undefined) throw noConfig(files)
    whole.loadFromCluster()
    return whole
  }
  const read = present.map(readOne)
  if (read.every(({contexts, currentContext}) => contexts.length === 0 && !currentContext)) throw noConfig(files)
  whole.loadFromOptions({
    clusters: first(read.flatMap(({clusters}) => clusters)),
    contexts: first(read.flatMap(({contexts}) => contexts)),
    users: first(read.flatMap(({users}) => users)),
    currentContext: read.map(({currentContext}) => currentContext).find(name => name)
  })
  return whole
}

function readOne(file: string): KubeConfig {
  const config = new KubeConfig()
  try {
    const text = utf8Text(readTextBytes(file, 2 ** 26)) // of hundreds of clusters it has some megabytes
    // the library refuses an empty file
    if (text.trim() !== '') config.loadFromFile(file)
    const {users = []} = parse(/tokenFile|\bas-/.test(text) ? text : '{}') as {users?: {user?: WrittenUser}[] | null}
    // as in kubectl, a path counts from the file, a name is in PATH
    for (const [index, user] of (config.users as KnownUser[]).entries()) {
      const exec = user.exec as ProgramOfUser | null
      const written = users?.[index]?.user ?? {}
      if (exec?.command?.includes('/') === true) exec.command = resolve(dirname(file), exec.command)
      if (written.tokenFile) user.tokenFile = resolve(dirname(file), written.tokenFile)
      user.impersonation = impersonationOf(written)
    }
  } catch (error) {
    if (error instanceof TypeError) return config // a text that is no object
    throw new UserError(`cannot read the kubeconfig ${file}: ${messageOf(error).split('\n', 1)[0] ?? ''}`)
  }
  return config
}

const first = <T extends {readonly name: string}>(all: readonly T[]): T[] => [
  ...new Map(all.toReversed().map(each => [each.name, each])).values()
]

const noConfig = (files: readonly string[]): UserError =>
  new UserError(`no Kubernetes cluster is configured: there is no context in ${files.join(', ')}`, {
    explanation:
      'Create a cluster (kind create cluster, minikube start …), or set KUBECONFIG to the file that your provider gave you.'
  })

const known = (contexts: readonly Context[]): string =>
  contexts.length === 0 ? '' : ` Known: ${contexts.map(({name}) => name).join(', ')}`

/** Addresses of this machine by which tools for local clusters name their servers. */
const isHere = (host: string): boolean =>
  isLoopback(host.replaceAll(/^\[|\]$/g, '')) || host === '0.0.0.0' || host === 'kubernetes.docker.internal'
