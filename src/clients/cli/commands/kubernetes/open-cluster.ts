import {Kubectl, openAccess, type ClusterAccess} from '#kubernetes'
import {UserError} from '../../../../model/errors.ts'
import type {GivenFlags} from '../../given-flags.ts'
import {confirm} from '../../input.ts'

/** Returns the cluster that `--context` and `--namespace` select. Rejects with a UserError for flags that have no meaning in a cluster. */
export async function accessFor(flags: GivenFlags, hereAlone: readonly string[] = []): Promise<ClusterAccess> {
  refuseHereAlone(flags, hereAlone)
  return openAccess({context: flags.text('context') ?? '', namespace: flags.text('namespace') ?? ''})
}

/** kubectl for the context that `--context` selects and the namespace of `--namespace`. */
export const kubectlFor = (flags: GivenFlags): Kubectl =>
  new Kubectl({context: flags.text('context') ?? '', namespace: flags.text('namespace') ?? ''})

/** Throws a UserError for a flag that has no meaning in a cluster. */
export function refuseHereAlone(flags: GivenFlags, hereAlone: readonly string[]): void {
  const refused = hereAlone.find(name => flags.names.includes(name))
  if (refused !== undefined) throw new UserError(`--${refused} is not supported with --kubernetes: leave it out`)
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
      explanation: 'Add --yes if you mean it, or choose another cluster with --context.',
      code: 'agree'
    })
  return confirm(`${what} in ${where}`)
}
