import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {cursorOf, CURSOR, givenText, givenTexts, SaidByApp, type Tool} from '../tool.ts'

const ROWS = 100
/** The most that the API lists. */
const MAX_ACTORS = 1000

export const actorsTool: Tool = {
  name: 'actors',
  title: 'Show actors',
  description:
    'Shows the actors of the run: which types are hosted by which apps, how many are active, how many calls wait for their turn. With a type: its actors, those with the longest queues first. With a type and an id: who is inside of this actor and since when, who waits, its timers and reminders.',
  changes: 'nothing',
  properties: {
    type: {type: 'string', description: 'Only the actors of this type'},
    id: {type: 'string', description: 'With type: the actor with this id'},
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    const [type, id] = [givenText(given, 'type'), givenText(given, 'id')]
    const from = cursorOf(given)
    if (id !== '') {
      if (type === '')
        throw new UserError('"id" needs "type"', {explanation: 'For example {"type": "Cart", "id": "17"}.'})
      const actor = await run.api.ask('GET /actor', {query: {type, id}, signal})
      return textAnswer('The actor.', JSON.stringify(actor, undefined, 1), {from, facts: {type, id, host: actor.host}})
    }
    if (type !== '') {
      const {actors, count} = await run.api.ask('GET /actors/of', {query: {type, limit: MAX_ACTORS}, signal})
      return listAnswer({
        summary: `${count} actors of the type; those with the longest queues first.`,
        items: actors.slice(from).map(each => ({text: rowText(each), fact: {id: each.id, waiting: each.waiting}})),
        cursorAfter: shown => (from + shown < actors.length ? `${from + shown}` : '')
      })
    }
    const {types} = await run.api.ask('GET /actors', {signal})
    return listAnswer({
      summary: types.length === 0 ? 'No app of the run hosts actors.' : 'Types of actors.',
      items: types.map(each => ({text: typeText(each), fact: {type: each.type, waiting: each.waiting}}))
    })
  }
}

const typeText = ({type, hosts, active, inside, waiting, reminders, next}: Api.ActorType): string => {
  const at = hosts.length === 0 ? 'hosted by no app' : `hosted by ${hosts.join(', ')}`
  const due = next === null ? '' : `, the next at ${next}`
  return `- ${type}: ${at}; ${active} active, ${inside} busy, ${waiting} calls wait; ${reminders} reminders${due}`
}

const rowText = ({id, host, inside, insideMs, waiting, waitingMs}: Api.ActorRow): string => {
  const busy = inside === '' ? 'idle' : `${inside} inside for ${insideMs} ms`
  const queue = waiting === 0 ? 'no call waits' : `${waiting} wait, the first for ${waitingMs} ms`
  return `- ${id} at ${host ?? 'no host'}: ${busy}; ${queue}`
}

export const remindersTool: Tool = {
  name: 'reminders',
  title: 'List reminders of actors',
  description:
    'Lists reminders of actors: type, id, name, when each is due. With all three of a reminder: this one, with its data; secrets are masked.',
  changes: 'nothing',
  properties: {
    type: {type: 'string', description: 'Only of this type of actors'},
    id: {type: 'string', description: 'With type: only of the actor with this id'},
    name: {type: 'string', description: 'With type and id: the reminder with this name'},
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    const [type, id, name] = [givenText(given, 'type'), givenText(given, 'id'), givenText(given, 'name')]
    if (name !== '') {
      const found = await run.api.ask('GET /reminder', {query: {type, id, name}, signal})
      const text = `${reminderText(found).slice(2)}\nwhen it fails: ${found.failurePolicy}\ndata: ${found.data ?? 'none'}`
      return textAnswer('The reminder.', text, {from: cursorOf(given), facts: {type, id, name}})
    }
    const query = {...(type !== '' && {type}), ...(id !== '' && {id})}
    const {reminders} = await run.api.ask('GET /reminders', {query, signal})
    const from = cursorOf(given)
    const page = reminders.slice(from, from + ROWS)
    return listAnswer({
      summary: reminders.length === 0 ? 'There are no such reminders.' : 'Reminders, the next one first.',
      items: page.map(each => ({text: reminderText(each), fact: {type: each.type, id: each.id, name: each.name}})),
      cursorAfter: count => (from + count < reminders.length ? `${from + count}` : '')
    })
  }
}

const reminderText = ({type, id, name, due, period, left, app}: Api.Reminder): string => {
  const again = period === '' ? '' : `, every ${period}${left === null ? '' : `, ${left} times more`}`
  return `- ${type}/${id}/${name}: due ${due}${again}; set by ${app}`
}

export const changeReminderTool: Tool = {
  name: 'change_reminder',
  title: 'Fire or delete a reminder',
  description: 'Fires a reminder of an actor now, which counts nothing (run), or deletes it.',
  changes: 'something',
  properties: {
    type: {type: 'string', description: 'The type of the actor'},
    id: {type: 'string', description: 'The id of the actor'},
    name: {type: 'string', description: 'The name of the reminder'},
    action: {type: 'string', description: 'What happens to the reminder', enum: ['run', 'delete']}
  },
  required: ['type', 'id', 'name', 'action'],
  run: async (run, given, signal) => {
    const body = givenTexts(given, 'type', 'id', 'name')
    const action = givenText(given, 'action')
    const route = action === 'delete' ? 'POST /reminder/delete' : 'POST /reminder/run'
    const {reminder, outcome, answer} = await run.api.ask(route, {body, signal})
    if (outcome !== null && outcome !== 'done')
      throw new SaidByApp(`the reminder ${outcome === 'failed' ? 'failed' : 'did not fire'}`, answer)
    return listAnswer({
      summary: action === 'delete' ? 'Deleted.' : 'Done.',
      items: [{text: reminderText(reminder), fact: body}]
    })
  }
}
