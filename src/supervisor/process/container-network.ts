import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import type {Environment} from '../../model/environment.ts'
import {messageOf} from '../../model/errors.ts'
import {runCommand} from '../../platform/run-command.ts'

const TIMEOUT_MS = 10_000

/** A network of a container engine. `engine`: its program, such as `podman`. */
export interface Network {
  readonly engine: string
  readonly name: string
  readonly env: Environment
}

/** Creates a network. Resolves with advice if its containers do not find each other by name; '': they do. Rejects if the engine refuses. */
export async function createNetwork({engine, name, env}: Network): Promise<string> {
  const ask = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(engine, ['network', ...args], {env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL'})).stdout
  try {
    await ask('create', name)
  } catch (error) {
    const {code, stderr = ''} = error as {readonly code?: unknown; readonly stderr?: string}
    if (code === 'ENOENT') return '' // the command of the app itself reports a missing engine
    throw new Error(`cannot make the network ${name}: ${stderr.trim() || messageOf(error)}`, {cause: error})
  }
  // networks of Podman may lack a name server (podman-network-create(1)); other engines do not have this field
  const hasNames = await ask('inspect', '--format', '{{.DNSEnabled}}', name).catch(() => '')
  return hasNames.trim() === 'false'
    ? `containers do not find each other by name: ${engine} has no name server for networks (install aardvark-dns)`
    : ''
}

/** Removes a network after its containers have ended. */
export async function removeNetwork({engine, name, env}: Network): Promise<void> {
  await runCommand({command: [engine, 'network', 'rm', name], folder: '/', env, timeoutMs: TIMEOUT_MS})
}
