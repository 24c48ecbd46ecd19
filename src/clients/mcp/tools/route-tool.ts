// A tool that asks routes of the API and shows their answers as JSON.
import {ApiError, type Route} from '../../../control/api-client.ts'
import type {FoundRun} from '../../../control/client.ts'
import type * as Api from '../../../model/api.generated.ts'
import {isUsable} from '../../../model/availability.ts'
import {UserError} from '../../../model/errors.ts'
import {jsonOrText} from '../../../model/exact-json.ts'
import {ownOf} from '../../../model/own.ts'
import {textAnswer} from '../answer.ts'
import {SaidByApp, type Arguments, type RouteChoice, type Row, type ToolResult} from '../tool.ts'

/** A request to one or several routes, whose answers are merged. */
export interface Asks {
  readonly routes: readonly Route[]
  readonly at?: Arguments
  /** The query or the body. */
  readonly given: Arguments
}

/** Sends the requests of a tool, and returns their answers as one. Throws a UserError. */
export async function askRoutes(
  {api}: FoundRun,
  row: Row,
  {routes, at = {}, given}: Asks,
  {cursor = 0, signal}: {cursor?: number; signal: AbortSignal}
): Promise<ToolResult> {
  const answers = routes.map(async route => {
    const sent = route.startsWith('GET') ? {query: given} : Object.keys(given).length > 0 && {body: given}
    return JSON.parse(await api.text(route, {at, ...sent, signal} as never)) as object
  })
  const found = await Promise.all(answers).catch(withoutReason)
  const all: Answer = Object.fromEntries(found.flatMap(each => Object.entries(each)))
  if (all.outcome === 'failed' || all.outcome === 'undeliverable')
    throw new SaidByApp(`it was not done: ${all.outcome}`, all.answer ?? all.job?.answer ?? '')
  return jsonAnswer(row, all, {cursor})
}

/** Takes the reason of a conflict out of the message: the reason may quote a line of the app, which answers mark as data. */
function withoutReason(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 409 || error.reason === error.message) throw error
  throw new SaidByApp(error.message.replace(`: ${error.reason}`, ''), error.reason)
}

/** Returns the request of a tool: the first of its routes whose required names are given. Throws a UserError. */
export function asksOf({name, choices, names, properties, default: usual = {}}: Row, all: Arguments): Asks {
  const inTool = new Map(Object.entries(names).map(([own, there]) => [there, own]))
  const words = (keys: readonly string[]): string => keys.map(key => `"${inTool.get(key) ?? key}"`).join(' and ')
  const given = new Map(Object.entries(usual))
  for (const [key, value] of Object.entries(all)) {
    const isAny = ownOf(properties, key)?.type === undefined
    if (key !== 'cursor')
      given.set(ownOf(names, key) ?? key, isAny && typeof value === 'string' ? jsonOrText(value) : value)
  }
  const lacks = ({required}: RouteChoice): readonly string[] => required.filter(key => !given.has(key))
  const choice = choices.find(each => lacks(each).length === 0)
  if (choice === undefined) throw new UserError(`${name} needs ${choices.map(each => words(lacks(each))).join(' or ')}`)
  const other = [...given.keys()].find(key => !choice.takes.includes(key))
  if (other !== undefined) {
    const taker = choices.findLast(({takes}) => takes.includes(other))
    const missing = taker === undefined ? [] : lacks(taker)
    const how = missing.length > 0 ? `only with ${words(missing)}` : `not with ${words(choice.required)}`
    throw new UserError(`${name} takes ${words([other])} ${how}`)
  }
  const inPath = ([key]: readonly [string, unknown]): boolean => choice.routes.some(route => route.includes(`{${key}}`))
  const {true: at = [], false: rest = []} = Object.groupBy(given, entry => (inPath(entry) ? 'true' : 'false'))
  return {routes: choice.routes, at: Object.fromEntries(at), given: Object.fromEntries(rest)}
}

/** Fields of answers that the first sentence, or the error, is made of. */
interface Answer {
  readonly outcome?: string | null
  readonly answer?: string
  readonly job?: {readonly answer: string}
  readonly workers?: number
  readonly status?: string | number
  readonly isChanged?: boolean
}

/** Returns how many apps are ready, and whether faults are on. */
function appsHead({apps, lastCall, faults}: Api.Run): string {
  const stopped = apps.filter(({availability}) => availability === 'stopped').length
  const unready = apps.filter(({availability: how}) => how !== 'stopped' && !isUsable(how)).length
  const states = `${unready === 0 ? 'all ready' : `${unready} not ready`}${stopped === 0 ? '' : `, ${stopped} stopped`}`
  const on = faults.length === 0 ? '' : ` ${faults.length === 1 ? '1 fault is' : `${faults.length} faults are`} on.`
  return `${apps.length} apps, ${states}; ${lastCall} calls so far.${on}`
}

/** The first sentence of the answers of some tools. */
const HEADS = {
  up: appsHead,
  list_apps: appsHead,
  why: ({app, instances = [], deaths, troubles}: Partial<Api.Why & Api.Troubles>) =>
    deaths === undefined
      ? troubles === undefined
        ? 'An unexpected exit.'
        : 'What is wrong now:'
      : `${app} is ${instances.every(({isReady}) => isReady) ? 'ready' : 'not ready'}; ${deaths} unexpected exits are recorded.`,
  wait: ({outcome, tookMs}: Api.Waited) =>
    `${{met: 'Met', impossible: 'It can no longer be met', timeout: 'Timed out'}[outcome]} after ${tookMs} ms.`,
  calls: ({calls, last}: Api.Calls) => (calls.length === 0 ? 'No call matches.' : `The latest call of all is ${last}.`),
  call: ({number, isFailed, isTruncated}: Api.CallDetail) =>
    `Call ${number}${isFailed ? ', which failed' : ''}.${isTruncated ? ' Only a part of its bodies is recorded (record.body in the template).' : ''}`,
  invoke: ({isTruncated}: Partial<Api.CallDetail>) =>
    isTruncated === true ? ' Only a part of the response is recorded.' : '',
  replay: () => '',
  replay_workflow: () => '',
  restart: () => 'Restarted.',
  fault: () => 'Faults:',
  start: ({isChanged}: Answer) => (isChanged === false ? 'It runs already.' : 'Started.')
} satisfies Readonly<Record<string, (answer: never) => string>>

interface HowToShow {
  readonly cursor?: number
  /** Text before the first sentence. */
  readonly note?: string
  /** A sentence about the rest, for an answer that no cursor continues. */
  readonly rest?: string
}

/** Returns the answer of a tool as JSON, a row of a list on each line. Empty values are left out. */
export function jsonAnswer(
  {name, changes, hides = [], properties}: Row,
  answer: object,
  {cursor = 0, note = '', rest}: HowToShow = {}
): ToolResult {
  const {workers = 1, status = ''} = answer as Answer
  const hidden = new Set(hides)
  const fields = Object.entries(answer).filter(([key, value]) => !hidden.has(key) && !isEmpty(value))
  const lists = Object.values(answer).filter(Array.isArray)
  const isNone = lists.length > 0 && fields.every(([, value]) => value === 0)
  const lacks = workers > 0 ? '' : ' No worker of workflows is connected for its app: it continues when one connects.'
  const usual = changes === true ? 'Done.' : 'As JSON; secrets are masked.'
  const none = name === 'why' ? 'Nothing is wrong.' : 'There are none.'
  const head = isNone ? none : (ownOf(HEADS, name as keyof typeof HEADS)?.(answer as never) ?? usual)
  const line = (value: unknown): string =>
    JSON.stringify(value, function (this: {readonly encoding?: string}, key, each: unknown) {
      if (!Array.isArray(this) && key !== '' && (hidden.has(key) || isEmpty(each))) return undefined
      if (key === 'body' && this.encoding === 'base64')
        return `(${atob(each as string).length} bytes that are not text)`
      return typeof each === 'number' ? Math.round(each * 1000) / 1000 : each
    })
  const parts = fields.map(([key, value]) =>
    Array.isArray(value) ? `"${key}": [\n${value.map(line).join(',\n')}\n]` : `"${key}": ${line(value)}`
  )
  const state = typeof status === 'string' && status !== '' ? ` It is ${status}.` : ''
  return textAnswer(`${note}${head}${state}${lacks}`, isNone ? '' : `{${parts.join(',\n')}}`, {
    from: cursor,
    rest: rest ?? ('cursor' in properties ? undefined : 'The rest is left out.')
  })
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
