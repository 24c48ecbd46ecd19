// observe/api/actors/ shows the actors of a run, and shows and changes their reminders. Loaded by the first request about one.
import {isUtf8} from 'node:buffer'
import type * as Api from '../../../model/api.generated.ts'
import type {Actor, ActorTurn, ActorType} from '../../../work/actor/actor.ts'
import type {Actors} from '../../../work/actor/actors.ts'
import type {Reminder} from '../../../work/actor/reminder-store.ts'
import {messageOf} from '../../../model/errors.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {ApiProblem} from '../problem.ts'
import type {ActorFacts} from '../run-facts.ts'
import {timeText} from '../workflows/instance-view.ts'
import {rowsIn} from '../workflows/requests.ts'
import {reminderView} from './serve-reminders.ts'

export {changeReminder, listReminders, oneReminder} from './serve-reminders.ts'

/** Maximum rows of a queue, and of a state. */
const ROWS = 100

/** Returns the types that apps host, or that have reminders or calls that wait. */
export async function listTypes({loaded, reminders}: ActorFacts): Promise<Api.ActorTypes> {
  const actors = loaded()
  const kept = await reminders()
  const all = await kept.list()
  const byType = new Map(actors?.table.known.map(type => [type.name, type]))
  const kinds = Map.groupBy(all, ({type}) => type)
  const names = [...new Set([...byType.keys(), ...kinds.keys()])].toSorted()
  return {
    types: names.map(name => {
      const own = kinds.get(name) ?? []
      return {...countsOf(name, byType.get(name)), reminders: own.length, next: nextOf(own, kept.aheadMs)}
    })
  }
}

const nextOf = ([first]: readonly Reminder[], aheadMs: number): string | null =>
  first === undefined ? null : timeText(first.due - aheadMs)

function countsOf(type: string, known: ActorType | undefined): Omit<Api.ActorType, 'reminders' | 'next'> {
  let [active, inside, waiting] = [0, 0, 0]
  for (const actor of known?.actors.values() ?? []) {
    if (actor.place !== undefined) active++
    if (actor.inside !== undefined) inside++
    waiting += actor.waiting?.length ?? 0
  }
  return {type, hosts: [...(known?.hosts ?? [])].map(({host}) => host.instance).toSorted(), active, inside, waiting}
}

/** Orders actors by the length of their queue, then by a turn under way. */
const lengthOf = ({waiting, inside}: Actor): number => (waiting?.length ?? 0) * 2 + (inside === undefined ? 0 : 1)

/** Lists the actors of a type, the longest queues first. Throws an ApiProblem. */
export function listActors({loaded}: ActorFacts, query: URLSearchParams): Api.ActorList {
  const type = query.get('type') ?? ''
  const actors = loaded()
  const found = actors?.table.known.find(({name}) => name === type)
  if (actors === undefined || found === undefined) throw noSuchType(type, actors)
  const all = [...found.actors.values()]
  const shown = all.toSorted((a, b) => lengthOf(b) - lengthOf(a) || (a.id < b.id ? -1 : 1)).slice(0, rowsIn(query))
  return {type, actors: shown.map(actor => rowOf(actor, actors.now)), count: all.length}
}

function rowOf({id, place, inside, waiting, idleSince}: Actor, now: number): Api.ActorRow {
  const since = inside?.[0]?.beganAt ?? now
  return {
    id,
    host: place?.host.instance ?? null,
    inside: inside?.map(workOf).at(-1) ?? '',
    insideMs: Math.round(now - since),
    waiting: waiting?.length ?? 0,
    waitingMs: Math.round(now - (waiting?.[0]?.since ?? now)),
    idleMs: place === undefined || inside !== undefined ? 0 : Math.round(now - idleSince)
  }
}

const workOf = ({request: {work}}: ActorTurn): string =>
  work.kind === 'method' ? work.method : `${work.kind} ${work.name}`

/** Returns an actor: its calls inside and waiting, its timers, reminders and state. Throws an ApiProblem. */
export async function oneActor(facts: ActorFacts, query: URLSearchParams, masking: Masking): Promise<Api.ActorDetail> {
  const {loaded, reminders} = facts
  const [type, id] = [query.get('type') ?? '', query.get('id') ?? '']
  const actors = loaded()
  const times = await reminders()
  const own = await times.list(type, id)
  const kept = await stateOf(facts, {type, id}, masking)
  const actor = actors?.table.find(type, id)
  const now = actors?.now ?? 0
  if (actor === undefined && own.length === 0 && kept.state.length === 0) {
    if (actors?.table.hosted.includes(type) !== true) throw noSuchType(type, actors)
    throw new ApiProblem(
      404,
      `the actor ${type}/${id} is not active, and has no reminders and no state`,
      'Its first call makes it.'
    )
  }
  const turn = (each: ActorTurn, since: number): Api.ActorTurn => ({
    work: workOf(each),
    caller: each.request.caller?.instance ?? '',
    sinceMs: Math.round(now - since)
  })
  return {
    type,
    ...(actor === undefined ? rowOf(absent(id), now) : rowOf(actor, now)),
    circle: actor?.inside?.[0]?.circle ?? '',
    calls: actor?.inside?.map(each => turn(each, each.beganAt)) ?? [],
    queue: actor?.waiting?.slice(0, ROWS).map(each => turn(each, each.since)) ?? [],
    timers: actors?.timers.of(type, id).map(({name}) => name) ?? [],
    reminders: own.map(each => reminderView(each, times.aheadMs)),
    ...kept
  }
}

/** Returns the state of an actor, as the sidecar of its host reads it; with masked secrets, as in calls. */
async function stateOf(
  {loaded, stateOf: read}: ActorFacts,
  {type, id}: {readonly type: string; readonly id: string},
  masking: Masking
): Promise<Pick<Api.ActorDetail, 'state' | 'stateProblem'>> {
  const table = loaded()?.table
  const [first] = table?.known.find(({name}) => name === type)?.hosts ?? []
  const host = table?.find(type, id)?.place?.host ?? first?.host
  if (host === undefined) return {state: [], stateProblem: 'no app hosts it now'}
  try {
    const found = await read(host.instance, type, id, ROWS)
    return {state: found.map(([key, data]) => ({key, ...valueOf(key, data, masking)})), stateProblem: ''}
  } catch (error) {
    return {state: [], stateProblem: messageOf(error)}
  }
}

/** Returns a value as text, or in base64 if it is not text. */
const valueOf = (key: string, data: Buffer, masking: Masking): Pick<Api.ActorStateItem, 'value' | 'encoding'> =>
  isUtf8(data)
    ? {value: masking.named(key, data.toString()), encoding: 'utf8'}
    : {value: data.toString('base64'), encoding: 'base64'}

const absent = (id: string): Actor =>
  ({id, place: undefined, inside: undefined, waiting: undefined, idleSince: 0}) as Actor

function noSuchType(type: string, actors: Actors | undefined): ApiProblem {
  const hosted = actors?.table.hosted ?? []
  const here =
    hosted.length === 0 ? 'No app of the run hosts actors.' : `The apps of this run host: ${hosted.join(', ')}.`
  return new ApiProblem(404, `no app hosts actors of the type '${type}'`, here)
}
