import {createInterface} from 'node:readline/promises'
import type {ClusterAccess} from '#kubernetes'
import {UserError} from '../../../model/errors.ts'
import type {GivenFlags} from '../../given-flags.ts'

/**
 * Asks before a cluster is changed that is not on this machine. Without a terminal, or with the template on stdin, nobody can
 * answer: then `--yes` is needed. Throws a UserError for a no.
 */
export async function confirmCluster(access: ClusterAccess, flags: GivenFlags, what: string): Promise<void> {
  if (access.isLocal || flags.isSet('yes')) return
  const {context, server, namespace} = access
  const where = `context "${context}", server ${server}, namespace "${namespace}"`
  if (
    !process.stdin.isTTY ||
    !process.stdout.isTTY ||
    [flags.text('run-file'), ...flags.list('run-file')].includes('-')
  ) {
    throw new UserError(`this would ${what} in a cluster that is not on this machine: ${where}`, {
      explanation: 'Add --yes if you mean it, or choose another cluster with --context.'
    })
  }
  const asker = createInterface({input: process.stdin, output: process.stdout})
  try {
    const answer = await asker.question(`This will ${what} in ${where}. Go on? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done')
  } finally {
    asker.close()
  }
}
