import {Kubectl} from '#kubernetes'
import {isLoopback} from '../../../../model/address.ts'
import {UserError} from '../../../../model/errors.ts'
import type {GivenFlags} from '../../given-flags.ts'
import {confirm} from '../../input.ts'

/** Names that tools for local clusters give to their contexts. */
const LOCAL_NAME = /^(?:kind-.*|k3d-.*|minikube|docker-desktop|rancher-desktop|orbstack|colima|microk8s)$/
const FIELDS = '{.current-context}{"\\n"}{.clusters[0].cluster.server}{"\\n"}{.contexts[0].context.namespace}'

interface Use {
  /** Flags that have no meaning in a cluster. */
  readonly refused: readonly string[]
  /** The change of the cluster, as the question names it. Without it there is no question. */
  readonly change?: string | undefined
}

/**
 * Returns kubectl for the context and namespace of `--context` and `--namespace`. Asks before a cluster is changed that is not on this machine.
 * Without a terminal, or with the template on stdin, no person can answer: then `--yes` is needed. Rejects with a UserError.
 */
export async function openCluster(flags: GivenFlags, {refused, change}: Use): Promise<Kubectl> {
  const bad = refused.find(name => flags.names.includes(name))
  if (bad !== undefined) throw new UserError(`--${bad} is not supported with --kubernetes: leave it out`)
  const given = new Kubectl(flags.text('context') ?? '', flags.text('namespace') ?? '')
  const view = await given.text(['config', 'view', '--minify', '-o', `jsonpath=${FIELDS}`])
  const [context = '', server = '', namespace = ''] = view.split('\n')
  const kubectl = new Kubectl(context, given.namespace || namespace || 'default')
  if (change === undefined || flags.isSet('yes') || LOCAL_NAME.test(context) || isHere(server)) return kubectl
  const where = `context "${context}", server ${server}, namespace "${kubectl.namespace}"`
  if (!process.stdin.isTTY || !process.stdout.isTTY || flags.list('run-file').includes('-'))
    throw new UserError(`this would ${change} in a cluster that is not on this machine: ${where}`, {
      explanation: 'Add --yes if you mean it, or choose another cluster with --context.',
      code: 'agree'
    })
  await confirm(`${change} in ${where}`)
  return kubectl
}

/** Whether the URL of an API server names this machine. */
function isHere(server: string): boolean {
  const host = URL.parse(server)?.hostname.replaceAll(/^\[|\]$/g, '') ?? ''
  return isLoopback(host) || host === '0.0.0.0' || host === 'kubernetes.docker.internal'
}
