import {homedir} from 'node:os'
import {ClusterClient, ClusterError, asUserError, openAccess, type ClusterAccess} from '#kubernetes'
import type {GivenFlags} from '../../given-flags.ts'

/** The cluster that `--context` and `--namespace` mean. Throws a UserError if the kubeconfig has none. */
export const accessFor = (flags: GivenFlags): ClusterAccess =>
  openAccess({context: flags.text('context') ?? '', namespace: flags.text('namespace') ?? ''}, process.env, homedir())

/** Calls `task` with a client of the cluster. What the API server refuses becomes a `UserError`. */
export async function withCluster<T>(access: ClusterAccess, task: (client: ClusterClient) => Promise<T>): Promise<T> {
  const client = new ClusterClient(access)
  try {
    return await task(client)
  } catch (error) {
    throw error instanceof ClusterError ? asUserError(error, error.path, access.context) : error
  } finally {
    client.close()
  }
}
