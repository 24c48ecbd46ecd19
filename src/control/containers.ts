import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import {messageOf} from '../model/errors.ts'
import {ENGINE} from '../model/plan.ts'
import type {Environment} from '../model/environment.ts'
import {runCommand} from '../platform/run-command.ts'

const TIMEOUT_MS = 10_000

/** Containers, and the program that starts and ends them. */
export interface Containers {
  readonly engine: string
  readonly names: readonly string[]
}

/**
 * The container that goes with its command: `docker run --rm --name NAME …`, or `sh -c 'docker build … && exec "$@"' … docker run …`, as
 * import writes both; undefined: there is none.
 */
export function containerOf(command: readonly string[]): Containers | undefined {
  const at = command.findIndex((word, index) => ENGINE.test(word) && command[index + 1] === 'run')
  // elsewhere `--name` may be a word of the program in the container
  const [engine = '', , removed, named, name] = at === -1 ? [] : command.slice(at)
  return removed === '--rm' && named === '--name' && name !== undefined ? {engine, names: [name]} : undefined
}

/** Ends containers that outlive the program which has started them: their daemon keeps them, with their names and ports. Failure usually means that they have ended. */
export async function removeContainers({engine, names}: Containers, env: Environment): Promise<void> {
  const command = [engine, 'rm', '--force', '--volumes', ...names]
  if (names.length > 0) await runCommand({command, folder: '/', env, timeoutMs: TIMEOUT_MS})
}

/** The network of a template's containers, as their commands name it. Each run has its own one in its place. */
const NETWORK = 'pillion'

/** The place of the network's name in a command that runs a container; -1 if the command does not name it. */
const networkAt = (command: readonly string[]): number =>
  command.findIndex(
    (word, at) =>
      word === NETWORK &&
      command[at - 1] === '--network' &&
      command.some((each, index) => index < at && ENGINE.test(each) && command[index + 1] === 'run')
  )

/** Returns the name of a run's network. */
export const networkName = (run: string): string => `${NETWORK}-${run}`

/** Returns the engine of a command whose container is in the network of the run; an empty string for any other command. */
export const networkEngine = (command: readonly string[]): string =>
  networkAt(command) === -1 ? '' : (command.find((word, at) => ENGINE.test(word) && command[at + 1] === 'run') ?? '')

/** Returns a command with the name of the run's network. */
export const inNetwork = (command: readonly string[], run: string): readonly string[] => {
  const at = networkAt(command)
  return at === -1 ? command : command.with(at, networkName(run))
}

/** A network, and the program that makes it. */
export interface Network {
  readonly engine: string
  readonly name: string
  readonly env: Environment
}

/** Makes a network. Returns advice if its containers do not find each other by name, else an empty string. Throws an `Error` if the engine refuses. */
export async function createNetwork({engine, name, env}: Network): Promise<string> {
  const ask = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(engine, ['network', ...args], {env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL'})).stdout
  try {
    await ask('create', name)
  } catch (error) {
    const {code, stderr = ''} = error as {readonly code?: unknown; readonly stderr?: string}
    if (code === 'ENOENT') return '' // the command of the app itself reports a missing engine
    throw new Error(`cannot make the network ${name}: ${stderr.trim() || messageOf(error)}`)
  }
  // Podman without a name server for networks (podman-network-create(1)); other engines do not know the field
  const hasNames = await ask('inspect', '--format', '{{.DNSEnabled}}', name).catch(() => '')
  return hasNames.trim() === 'false'
    ? `containers do not find each other by name: ${engine} has no name server for networks (install aardvark-dns)`
    : ''
}

/** Removes a network whose containers have ended. */
export async function removeNetwork({engine, name, env}: Network): Promise<void> {
  await runCommand({command: [engine, 'network', 'rm', name], folder: '/', env, timeoutMs: TIMEOUT_MS})
}
