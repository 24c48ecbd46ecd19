import {homedir} from 'node:os'
import {ClusterClient, ClusterError, asUserError, openAccess, type ClusterAccess} from '#kubernetes'
import {UserError} from '../../../../model/errors.ts'
import type {GivenFlags} from '../../given-flags.ts'
import {confirm} from '../../input.ts'
import {say} from '../../say.ts'

/** The cluster that `--context` and `--namespace` mean. Throws a UserError if the kubeconfig has none, or for flags without a meaning there. */
export function accessFor(flags: GivenFlags, hereAlone: readonly string[] = []): ClusterAccess {
  const refused = hereAlone.find(name => flags.names.includes(name))
  if (refused !== undefined) throw new UserError(`--${refused} is not supported with --kubernetes: leave it out`)
  const [context = '', namespace = ''] = [flags.text('context'), flags.text('namespace')]
  return openAccess({context, namespace}, process.env, homedir())
}

/** Calls `task` with a client of the cluster. What the API server refuses becomes a `UserError`. */
export async function withCluster<T>(
  access: ClusterAccess,
  asJson: boolean,
  task: (client: ClusterClient) => Promise<T>
): Promise<T> {
  const client = new ClusterClient(access)
  client.onWait = text => say(process.stderr, 'warning', text, asJson)
  try {
    return await task(client)
  } catch (error) {
    throw error instanceof ClusterError ? asUserError(error, error.path, access.context) : error
  } finally {
    client.close()
  }
}

/**
 * Asks before a cluster is changed that is not on this machine. Without a terminal, or with the template on stdin, no person can
 * answer: then `--yes` is needed. Throws a UserError for a no.
 */
export async function confirmCluster(access: ClusterAccess, flags: GivenFlags, what: string): Promise<void> {
  if (access.isLocal || flags.isSet('yes')) return
  const {context, server, namespace} = access
  const where = `context "${context}", server ${server}, namespace "${namespace}"`
  if (!process.stdin.isTTY || !process.stdout.isTTY || flags.list('run-file').includes('-'))
    throw new UserError(`this would ${what} in a cluster that is not on this machine: ${where}`, {
      explanation: 'Add --yes if you mean it, or choose another cluster with --context.'
    })
  return confirm(`${what} in ${where}`)
}
