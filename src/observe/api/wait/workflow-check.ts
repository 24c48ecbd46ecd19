import {faultOf} from '../../../work/workflow/failure.ts'
import {
  COMPLETED,
  FAILED,
  isTerminal,
  PENDING,
  spokenStatus,
  STALLED,
  SUSPENDED,
  TERMINATED
} from '../../../work/workflow/status.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'
import type {Condition} from './condition.ts'
import {impossible, met, waiting, type WaitCheck} from './standing.ts'
import type {WaitContext} from './wait-context.ts'

type Wanted = Extract<Condition, {kind: 'workflow'}>

const IS_MET: Readonly<Record<Wanted['state'], (status: number) => boolean>> = {
  started: status => status !== PENDING,
  suspended: status => status === SUSPENDED,
  completed: status => status === COMPLETED,
  failed: status => status === FAILED,
  terminated: status => status === TERMINATED,
  ended: isTerminal
}

/** Whether a workflow will not reach that state unless the user does something. */
const isHopeless = (status: number, wanted: Wanted['state']): boolean =>
  isTerminal(status) || (status === STALLED && wanted !== 'terminated' && wanted !== 'ended')

/** A workflow is in some state; of several apps that have one of this id, any one. */
export function workflowCheck(context: WaitContext, {id, state}: Wanted): WaitCheck {
  return {
    look: async () => {
      const open = await context.workflows()
      const found = open.appsWith(id).flatMap(app => open.find(app, id) ?? [])
      const right = found.find(({status}) => IS_MET[state](status))
      if (right !== undefined) return met(`${right.name} of ${right.app} is ${spokenStatus(right.status)}`)
      const [other] = found
      if (other === undefined) return waiting(`there is no workflow '${id}' yet`)
      const fault = new Masking().text(faultOf(other))
      const reason = `${other.name} of ${other.app} is ${spokenStatus(other.status)}${fault === '' ? '' : `: ${fault}`}`
      return found.every(({status}) => isHopeless(status, state)) ? impossible(reason) : waiting(reason)
    }
  }
}
