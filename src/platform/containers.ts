import {ENGINE} from '../model/plan.ts'
import type {Environment} from '../model/environment.ts'
import {runCommand} from './run-command.ts'

const TIMEOUT_MS = 10_000

/** Names of containers, and the program that runs them (`docker`, `podman`). */
export interface Containers {
  readonly engine: string
  readonly names: readonly string[]
}

/**
 * Finds the container that ends with its command: `docker run --rm --name NAME …`, or `sh -c 'docker build … && exec "$@"' … docker run
 * …`, as import writes both.
 */
export function containerOf(command: readonly string[]): Containers | undefined {
  const at = command.findIndex((word, index) => ENGINE.test(word) && command[index + 1] === 'run')
  // elsewhere `--name` may be a word of the program in the container
  const [engine = '', , removed, named, name] = at === -1 ? [] : command.slice(at)
  return removed === '--rm' && named === '--name' && name !== undefined ? {engine, names: [name]} : undefined
}

/** Removes containers that have outlived their program: the daemon keeps them, with names and ports. A failure usually means that they have ended. */
export async function removeContainers({engine, names}: Containers, env: Environment): Promise<void> {
  const command = [engine, 'rm', '--force', '--volumes', ...names]
  if (names.length > 0) await runCommand({command, folder: '/', env, timeoutMs: TIMEOUT_MS})
}

/** Name of the template's network in commands, which each run replaces by its own network. */
const NETWORK = 'pillion'

/** Returns the index of the network's name in a command that runs a container; -1: the command does not name it. */
const networkAt = (command: readonly string[]): number =>
  command.findIndex(
    (word, at) =>
      word === NETWORK &&
      command[at - 1] === '--network' &&
      command.some((each, index) => index < at && ENGINE.test(each) && command[index + 1] === 'run')
  )

export const networkName = (run: string): string => `${NETWORK}-${run}`

/** Returns the engine of a command whose container is in the network of the run; '': another command. */
export const networkEngine = (command: readonly string[]): string =>
  networkAt(command) === -1 ? '' : (command.find((word, at) => ENGINE.test(word) && command[at + 1] === 'run') ?? '')

/** Returns a command with the name of the run's network. */
export const inNetwork = (command: readonly string[], run: string): readonly string[] => {
  const at = networkAt(command)
  return at === -1 ? command : command.with(at, networkName(run))
}
