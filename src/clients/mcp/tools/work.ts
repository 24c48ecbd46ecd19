import type * as Api from '../../../model/api.generated.ts'
import type {Route} from '../../../control/api-client.ts'
import {UserError} from '../../../model/errors.ts'
import {jsonOrText} from '../../../model/exact-json.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {CURSOR, cursorOf, givenNumber, givenOf, givenText, SaidByApp, text, whole} from '../tool.ts'
import type {Arguments, Tool, ToolProperties, ToolResult} from '../tool.ts'

/** The request of a tool: a route of `schema/api.yaml`, and which of the arguments are in its path. */
interface Asks {
  readonly route: Route
  readonly at?: Readonly<Record<string, string>>
  /** A second route for the same thing. */
  readonly also?: Route
  /** The other arguments, as they are sent. */
  readonly given: object
}

type Row = Pick<Tool, 'name' | 'description' | 'required'> & {
  readonly properties: ToolProperties
  readonly asks: (given: Arguments) => Asks
}

/** A tool of one route: its answer is shown as JSON. */
const tool = ({asks, ...row}: Row): Tool => ({
  ...row,
  changes: row.name.startsWith('change_') ? 'something' : 'nothing',
  isForWork: true,
  run: async (run, all, signal) => {
    const {route, also, at = {}, given} = asks(all)
    const sent = route.startsWith('GET') ? {query: given} : {body: given}
    const routes = also === undefined ? [route] : [route, also]
    const answers = routes.map(async each => run.api.text(each, {at, ...sent, signal} as never))
    const answer = Object.assign({}, ...(await Promise.all(answers)).map(each => JSON.parse(each) as object)) as Known
    return shown(route, answer, cursorOf(all))
  }
})

/** The parts of an answer that are said in words. */
interface Known {
  readonly outcome?: string | null
  readonly answer?: string
  readonly job?: {readonly answer: string}
  readonly workers?: number
  readonly status?: string
}

function shown(route: Route, answer: Known, from: number): ToolResult {
  const {outcome = null, workers = 1, status = '', answer: said, job} = answer
  if (outcome !== null && outcome !== 'done')
    throw new SaidByApp(`it was not done: ${outcome}`, said ?? job?.answer ?? '')
  const lists: readonly unknown[][] = Object.values(answer).filter(each => Array.isArray(each))
  const isEmpty = lists.length === 1 && lists[0]?.length === 0
  const lacks = workers > 0 ? '' : ' No worker of workflows is connected for its app: it continues when one connects.'
  const head = route.startsWith('POST') ? 'Done.' : isEmpty ? 'There are none.' : 'As JSON; secrets are masked.'
  const state = status === '' ? '' : ` It is ${status}.`
  return textAnswer(`${head}${state}${lacks}`, isEmpty ? '' : JSON.stringify(answer, undefined, 1), {from})
}

const ACTOR: ToolProperties = {type: text('Type of the actor'), id: text('Its id')}
const JOB_APP = text('Needed if several apps have one of this name')
const INSTANCE: ToolProperties = {id: text('Id of the instance'), app: text('Needed if several apps have this id')}

const readPage = (all: Arguments, ...names: readonly string[]): Record<string, string> =>
  givenOf(all, ...names, 'limit')

export const WORK_TOOLS: readonly Tool[] = [
  tool({
    name: 'workflows',
    description: 'Workflow instances, the latest first. With id: its steps, what it waits for, why it failed.',
    properties: {
      ...INSTANCE,
      name: text(),
      status: text('RUNNING, COMPLETED, FAILED …'),
      limit: whole('', 100),
      cursor: CURSOR
    },
    asks: all =>
      all['id'] === undefined
        ? {route: 'GET /workflows', given: readPage(all, 'app', 'name', 'status')}
        : {route: 'GET /workflow', also: 'GET /workflow/timeline', given: givenOf(all, 'id', 'app')}
  }),
  tool({
    name: 'change_workflow',
    description:
      'Starts a workflow (name, input), or does something with an instance: raise an event, suspend, resume, terminate, rerun from a step, skip its next timer, purge.',
    properties: {
      name: text(),
      input: {},
      ...INSTANCE,
      action: {type: 'string', enum: ['raise', 'suspend', 'resume', 'terminate', 'rerun', 'skip', 'purge']},
      event: text('With raise'),
      data: {description: 'With raise'},
      reason: text(),
      output: {description: 'With terminate'},
      step: {type: 'integer', description: 'Event number, with rerun or skip', minimum: 0}
    },
    asks: changesWorkflow
  }),
  tool({
    name: 'jobs',
    description: 'Jobs that apps have scheduled. With name: this one, with its data.',
    properties: {name: text(), app: JOB_APP, limit: whole('', 100), cursor: CURSOR},
    asks: all =>
      all['name'] === undefined
        ? {route: 'GET /jobs', given: readPage(all, 'app')}
        : {route: 'GET /job', given: givenOf(all, 'name', 'app')}
  }),
  tool({
    name: 'change_job',
    description: 'Runs a job now, which changes no schedule, or pauses, resumes or deletes it.',
    properties: {name: text(), app: JOB_APP, action: {type: 'string', enum: ['run', 'pause', 'resume', 'delete']}},
    required: ['name', 'action'],
    asks: all => ({
      route: 'POST /job/{change}',
      at: {change: givenText(all, 'action')},
      given: givenOf(all, 'name', 'app')
    })
  }),
  tool({
    name: 'actors',
    description:
      'Types of actors and who hosts them. With type: its actors, longest queues first. With id, too: this actor.',
    properties: {...ACTOR, cursor: CURSOR},
    asks: all => {
      if (all['id'] !== undefined && all['type'] === undefined)
        throw new UserError('"id" needs "type"', {explanation: 'For example {"type": "Cart", "id": "17"}.'})
      const route =
        all['id'] === undefined ? (all['type'] === undefined ? 'GET /actors' : 'GET /actors/of') : 'GET /actor'
      return {route, given: {...givenOf(all, 'type', 'id'), ...(route === 'GET /actors/of' && {limit: 1000})}}
    }
  }),
  tool({
    name: 'reminders',
    description: 'Reminders of actors. With type, id and name: this one, with its data.',
    properties: {...ACTOR, name: text(), cursor: CURSOR},
    asks: all => ({
      route: all['name'] === undefined ? 'GET /reminders' : 'GET /reminder',
      given: givenOf(all, 'type', 'id', 'name')
    })
  }),
  tool({
    name: 'change_reminder',
    description: 'Fires a reminder now, which changes no schedule, or deletes it.',
    properties: {...ACTOR, name: text(), action: {type: 'string', enum: ['run', 'delete']}},
    required: ['type', 'id', 'name', 'action'],
    asks: all => ({
      route: givenText(all, 'action') === 'delete' ? 'POST /reminder/delete' : 'POST /reminder/run',
      given: givenOf(all, 'type', 'id', 'name')
    })
  })
]

function changesWorkflow(all: Arguments): Asks {
  const action = givenText(all, 'action')
  if ((all['name'] === undefined) === (action === ''))
    throw new UserError('change_workflow needs either "name" or "action"', {
      explanation:
        'For example {"name": "order", "input": {}}, or {"id": "o-17", "action": "raise", "event": "approved"}.'
    })
  const named = givenOf(all, 'app')
  if (action === 'purge') return {route: 'POST /workflows/purge', given: {...named, ids: [givenText(all, 'id')]}}
  const payloads = Object.entries(givenOf(all, 'input', 'data', 'output')).map(
    ([name, value]: readonly [string, unknown]) =>
      [name, typeof value === 'string' ? jsonOrText(value) : value] as const
  )
  const step = all['step'] === undefined ? {} : {[action === 'skip' ? 'timer' : 'eventId']: givenNumber(all, 'step')}
  const given = {...step, ...named, ...givenOf(all, 'name', 'id', 'event', 'reason'), ...Object.fromEntries(payloads)}
  if (action === '') return {route: 'POST /workflows', given}
  return {route: 'POST /workflow/{action}', at: {action}, given}
}

export const replayWorkflowTool: Tool = {
  name: 'replay_workflow',
  description:
    'Compares what the code of a workflow does now with the history of an instance, turn by turn. No activity runs, nothing is changed.',
  changes: 'nothing',
  isForWork: true,
  properties: {...INSTANCE, turn: whole('Begins with this turn')},
  required: ['id'],
  run: async (run, all, signal) => {
    const instance = givenOf(all, 'id', 'app')
    const {app, workers} = await run.api.ask('GET /workflow', {query: instance, signal})
    if (workers === 0)
      throw new UserError(`"${app}" has no worker of workflows connected, which would run the code`, {
        explanation: 'Wait until it is ready, or look at its log ("app_logs").'
      })
    const replays: Api.WorkflowReplayed[] = []
    const first = givenNumber(all, 'turn', 1) - 1
    for (let [turn, turns] = [first, first + 1]; turn < turns; turn++) {
      const replayed = await run.api.ask('POST /workflows/replay', {body: {...instance, turn}, signal})
      replays.push(replayed)
      turns = replayed.difference === '' ? replayed.turns : 0
    }
    const last = replays.at(-1)
    return listAnswer({
      summary: `The code ${last?.difference === '' ? 'does' : 'does not do'} what the history says: ${replays.length} of ${last?.turns ?? 0} turns replayed.`,
      fromEnd: true, // the last turn says the most
      rows: replays.map(turnText)
    })
  }
}

function turnText({turn, came, did, does, difference}: Api.WorkflowReplayed): string {
  const was = `- turn ${turn + 1}: ${came.join(', ')} → ${did.join(', ') || 'waits'}`
  return difference === '' ? was : `${was}, now ${does.join(', ') || 'waits'}: ${difference}`
}
