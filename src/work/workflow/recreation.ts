import {decode} from '../../proxy/net/grpc/message-codec.ts'
import {CHILD_REQUEST} from './far-messages.ts'
import type {Instance} from './instance.ts'
import {isTerminal} from './status.ts'
import {notOver, WorkflowError} from './workflow-error.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** One that is over does not begin anew while one below it is not over (Dapr: pkg/actors/targets/workflow/orchestrator/terminalcheck.go). Throws a WorkflowError. */
export function checkAllOver(store: WorkflowStore, instance: Instance): void {
  const family = store.family(instance)
  const open =
    family.find(({key, status}) => key !== instance.key && !isTerminal(status))?.id ??
    family
      .flatMap(({key}) => store.farChildren(key))
      .map(({request}) => decode(CHILD_REQUEST, request))
      .find(({isDetached}) => !isDetached)?.id
  if (open === undefined) return
  const why = `child workflow '${open}': ${notOver().message}`
  throw new WorkflowError('active', `cannot recreate workflow with ID '${instance.id}': ${why}`)
}
