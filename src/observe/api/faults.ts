import type * as Api from '../../model/api.generated.ts'
import {checkFaultIds, readFault, WrongFault, type FaultFields} from '../../files/config/fault.ts'
import {edgeText, effectText, limitText, rateText} from '../../proxy/faults/fault-text.ts'
import {Faults} from '../../proxy/faults/faults.ts'
import {UserError} from '../../model/errors.ts'
import type {FaultPlan, FaultView} from '../../model/fault.ts'
import type {RunFacts} from './run-facts.ts'
import {ApiProblem, givenObject} from './problem.ts'

/** Maximum number of faults: each call is compared with all of them. */
const MAX_FAULTS = 100

const faultsOf = ({faults}: RunFacts): Faults => (faults.active ??= new Faults(faults))

/** Lists all faults, in the order in which a call is compared with them. */
export const listFaults = (context: RunFacts, removed = 0): Api.Faults => ({
  faults: faultsOf(context).list().map(faultRow),
  removed
})

/** Adds a fault, or changes the fault of this number. `body` has the keys of a fault in a template. Returns this fault alone. Throws a UserError. */
export function addFault(context: RunFacts, body: string, replaced?: number): Api.Faults {
  const faults = faultsOf(context)
  const fields = givenObject(body, '{"from": "shop", "to": "stock", "status": 503}')
  if (replaced === undefined && faults.list().length >= MAX_FAULTS)
    throw new ApiProblem(409, `${MAX_FAULTS} faults already exist`, 'Remove one of them.')
  const plan = planOf(context, fields)
  if (replaced !== undefined && !faults.replace(replaced, plan)) throw unknown(faults, replaced)
  const number = replaced ?? faults.add(plan)
  return {faults: listFaults(context).faults.filter(each => each.number === number), removed: 0}
}

/** Enables or disables one fault, or all without a `number`. Throws an ApiProblem for an unknown fault. */
export function enableFaults(context: RunFacts, isEnabled: boolean, number?: number): Api.Faults {
  const faults = faultsOf(context)
  if (number === undefined) for (const each of faults.list()) faults.enable(each.number, isEnabled)
  else if (!faults.enable(number, isEnabled)) throw unknown(faults, number)
  return listFaults(context)
}

/** Removes one fault, or all without a `number`. Throws an ApiProblem for an unknown fault. */
export function removeFaults(context: RunFacts, number?: number): Api.Faults {
  const faults = faultsOf(context)
  if (number === undefined) return listFaults(context, faults.removeAll())
  if (!faults.remove(number)) throw unknown(faults, number)
  return listFaults(context, 1)
}

function planOf({apps, recorder}: RunFacts, fields: FaultFields): FaultPlan {
  try {
    const plan = readFault(fields)
    const called = recorder.edges.all.flatMap(({caller, callee}) => [caller, callee])
    checkFaultIds(plan, [...apps().map(({id}) => id), ...called], true)
    return plan
  } catch (error) {
    if (error instanceof WrongFault) throw new UserError(error.message, {explanation: error.expected, cause: error})
    throw error
  }
}

function unknown(faults: Faults, number: number): ApiProblem {
  const all = faults.list().map(each => each.number.toString())
  const hint = all.length === 0 ? 'There are no faults.' : `There are: ${all.join(', ')}`
  return new ApiProblem(404, `there is no fault ${number}`, hint)
}

/** Returns a fault in the form of the API. */
export function faultRow({number, plan, matched, hits, isEnabled, leftMs}: FaultView): Api.Fault {
  const {forMs: _forMs, times, ...rest} = plan
  return {
    ...rest,
    number,
    isEnabled,
    matched,
    hits,
    times: Number.isFinite(times) ? times : null,
    leftMs: Number.isFinite(leftMs) ? Math.round(leftMs) : null,
    texts: {edge: edgeText(plan), effect: effectText(plan), rate: rateText(plan), limit: limitText(plan)}
  }
}
