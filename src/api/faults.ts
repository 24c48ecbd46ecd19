import type * as Api from '../model/api.generated.ts'
import {checkFaultIds, readFault, WrongFault, type FaultFields} from '../config/fault.ts'
import {edgeText, effectText, limitText, rateText} from '../faults/fault-text.ts'
import {Faults} from '../faults/faults.ts'
import {UserError} from '../model/errors.ts'
import type {FaultView} from '../model/fault.ts'
import type {ApiRequest} from './api-request.ts'
import type {RunFacts} from './run-facts.ts'
import {ApiProblem} from './problem.ts'

/** Each call is compared with all of them. */
const MAX_FAULTS = 100

const PATH = /^\/faults(?:\/(?!(?:en|dis)able$)([^/]{1,100}))?(?:\/(enable|disable))?$/

export const isOfFaults = (path: string): boolean => PATH.test(path)

/** Lists faults, adds one (its keys are those of a template), disables, enables or takes off one or all. Throws a UserError. */
export function answerFaults(context: RunFacts, {method, path, body}: ApiRequest): Api.Faults {
  const faults = (context.faults.active ??= new Faults(context.faults))
  const [, number, verb] = PATH.exec(path) ?? []
  if (verb !== undefined) {
    if (method !== 'POST') throw new ApiProblem(405, `${method} is not possible here`, 'Use POST.')
    enable(faults, number, verb === 'enable')
    return {faults: faults.list().map(faultRow), removed: 0}
  }
  if (method === 'DELETE') {
    const removed = number === undefined ? faults.removeAll() : remove(faults, number)
    return {faults: faults.list().map(faultRow), removed}
  }
  if (method === 'GET' && number === undefined) return {faults: faults.list().map(faultRow), removed: 0}
  if (method === 'POST' && number === undefined) {
    const added = add(context, faults, parsed(body))
    return {
      faults: faults
        .list()
        .filter(each => each.number === added)
        .map(faultRow),
      removed: 0
    }
  }
  throw new ApiProblem(405, `${method} is not possible here`, 'Use GET, POST or DELETE.')
}

function add({apps, recorder}: RunFacts, faults: Faults, fields: FaultFields): number {
  if (faults.list().length >= MAX_FAULTS)
    throw new ApiProblem(409, `${MAX_FAULTS.toString()} faults already exist`, 'Remove one of them.')
  try {
    const plan = readFault(fields)
    const called = recorder.edges.all.flatMap(({caller, callee}) => [caller, callee])
    checkFaultIds(plan, [...apps().map(({id}) => id), ...called], true)
    return faults.add(plan)
  } catch (error) {
    if (error instanceof WrongFault) throw new UserError(error.message, {explanation: error.expected, cause: error})
    throw error
  }
}

/** `number`: left out, all of them. */
function enable(faults: Faults, number: string | undefined, isEnabled: boolean): void {
  if (number === undefined) for (const each of faults.list()) faults.enable(each.number, isEnabled)
  else if (!isNumber(number) || !faults.enable(Number(number), isEnabled)) throw unknown(faults, number)
}

function remove(faults: Faults, number: string): number {
  if (isNumber(number) && faults.remove(Number(number))) return 1
  throw unknown(faults, number)
}

const isNumber = (text: string): boolean => /^\d{1,10}$/.test(text)

function unknown(faults: Faults, number: string): ApiProblem {
  const all = faults.list().map(each => each.number.toString())
  const hint = all.length === 0 ? 'There are no faults.' : `There are: ${all.join(', ')}`
  return new ApiProblem(404, `there is no fault ${number}`, hint)
}

/** The JSON object of a request. */
function parsed(body: string): FaultFields {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // said below
  }
  throw new UserError('the body is not a JSON object', {
    explanation: 'For example: {"from": "shop", "to": "stock", "status": 503}'
  })
}

/** As readers get it. */
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
