import type {ActorDetail, ActorRow} from '../../../model/api.generated.ts'
import type {FoundRun} from '../../../control/client.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {age} from '../../../model/duration.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {oneLine} from '../../../observe/api/export/exporter.ts'
import {tableOf} from '../table.ts'
import {runOf} from './workflow/target.ts'
import {dueText, reminderTable} from './reminders.ts'

const LIMIT = 1000

/** `actors [TYPE[/ID]]`: lists the types of actors, or the active actors of a type, or shows one actor. */
export const showActors: CommandHandler = async context => {
  const {words, flags, asJson} = context
  if (words.length > 1) throw new UsageError(`accepts at most 1 arg(s), received ${words.length}`)
  const [word = ''] = words
  const slash = word.indexOf('/')
  const [type, id] = slash < 0 ? [word, ''] : [word.slice(0, slash), word.slice(slash + 1)]
  if (words.length > 0 && (type === '' || (slash >= 0 && id === '')))
    throw new UsageError(`invalid argument "${word}": expected TYPE or TYPE/ID`)
  const run = await runOf(context)
  const {value, text} = type === '' ? await types(run) : id === '' ? await ofType(run, type) : await one(run, type, id)
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(value)}\n`)
  else if (text === '') say(process.stderr, 'info', 'No app of the run hosts actors', asJson)
  else print(process.stdout, text)
  return 0
}

interface Shown {
  readonly value: unknown
  readonly text: string
}

async function types({api}: FoundRun): Promise<Shown> {
  const {types: all} = await api.ask('GET /actors')
  const text = tableOf([
    ['TYPE', all.map(({type}) => type)],
    ['HOSTS', all.map(({hosts}) => (hosts.length === 0 ? 'none' : hosts.join(', ')))],
    ['ACTIVE', all.map(({active}) => `${active}`)],
    ['BUSY', all.map(({inside}) => `${inside}`)],
    ['WAITING', all.map(({waiting}) => `${waiting}`)],
    ['REMINDERS', all.map(({reminders}) => `${reminders}`)],
    ['NEXT', all.map(({next}) => (next === null ? '' : dueText(next)))]
  ])
  return {value: all, text: all.length === 0 ? '' : text}
}

async function ofType({api}: FoundRun, type: string): Promise<Shown> {
  const list = await api.ask('GET /actors/of', {query: {type, limit: LIMIT}})
  const {actors, count} = list
  const more = count > actors.length ? `and ${count - actors.length} more\n` : ''
  if (count === 0) return {value: list, text: `No actor of the type ${type} is active.\n`}
  return {value: list, text: actorTable(actors) + more}
}

const actorTable = (actors: readonly ActorRow[]): string =>
  tableOf([
    ['ID', actors.map(({id}) => id)],
    ['AT', actors.map(({host}) => host ?? '')],
    ['INSIDE', actors.map(({inside}) => inside)],
    ['SINCE', actors.map(({inside, insideMs}) => (inside === '' ? '' : age(insideMs)))],
    ['WAITING', actors.map(({waiting}) => `${waiting}`)],
    ['LONGEST', actors.map(({waiting, waitingMs}) => (waiting === 0 ? '' : age(waitingMs)))],
    ['IDLE', actors.map(({host, inside, idleMs}) => (host === null || inside !== '' ? '' : age(idleMs)))]
  ])

async function one({api}: FoundRun, type: string, id: string): Promise<Shown> {
  const detail = await api.ask('GET /actor', {query: {type, id}})
  return {value: detail, text: detailText(detail)}
}

const turn = (what: string, {work, caller, sinceMs}: ActorDetail['queue'][number]): string =>
  `${what}: ${work}${caller === '' ? '' : ` from ${caller}`} since ${age(sinceMs)}\n`

function detailText(actor: ActorDetail): string {
  const {type, id, host, circle, calls, queue, waiting, idleMs, timers, reminders, state, stateProblem} = actor
  const where = host === null ? 'not active' : `at ${host}${calls.length === 0 ? `, idle for ${age(idleMs)}` : ''}`
  const more = waiting > queue.length ? `and ${waiting - queue.length} more wait\n` : ''
  return [
    `${type}/${id}: ${where}\n`,
    ...calls.map(each => turn('inside', each)),
    circle === '' ? '' : `${circle}\n`,
    ...queue.map(each => turn('waits', each)),
    more,
    timers.length === 0 ? '' : `timers: ${timers.join(', ')}\n`,
    reminders.length === 0 ? '' : reminderTable(reminders),
    state.length === 0
      ? ''
      : tableOf([
          ['STATE', state.map(({key}) => key)],
          ['VALUE', state.map(({value, encoding}) => (encoding === 'base64' ? `base64: ${value}` : oneLine(value)))]
        ]),
    stateProblem === '' ? '' : `its state is not shown: ${stateProblem}\n`
  ].join('')
}
