import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {jsonOrText} from '../../../model/exact-json.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {
  cursorOf,
  CURSOR,
  givenNumber,
  givenText,
  givenTexts,
  textProperty,
  type Arguments,
  type Tool,
  type ToolResult
} from '../tool.ts'

const ROWS = 20
/** The id of an instance. */
export const ID = textProperty('The id of the workflow instance')
/** The app of an instance. */
export const INSTANCE_APP = textProperty('The id of its app; needed if several apps have an instance of this id')

export const workflowsTool: Tool = {
  name: 'workflows',
  title: 'List workflows',
  description:
    'Lists instances of workflows of the run, the latest first: name, id, app, status, why it failed. Instances of earlier runs of this template are there, too.',
  changes: 'nothing',
  properties: {
    app: textProperty('Only of the app with this id'),
    name: textProperty('Only of the workflow with this name'),
    status: {
      type: 'string',
      description: 'Only with this status',
      enum: ['RUNNING', 'COMPLETED', 'FAILED', 'TERMINATED', 'PENDING', 'SUSPENDED']
    },
    limit: {type: 'integer', description: 'Maximum number of instances', minimum: 1, maximum: 100},
    cursor: CURSOR
  },
  run: async (run, all, signal) => {
    const cursor = cursorOf(all)
    const query = {
      ...givenTexts(all, 'app', 'name', 'status'),
      limit: givenNumber(all, 'limit', ROWS),
      ...(cursor > 0 && {before: cursor})
    }
    const {workflows, next} = await run.api.ask('GET /workflows', {query, signal})
    return listAnswer({
      summary: workflows.length === 0 ? 'There are no such workflows.' : 'Workflows, the latest first.',
      items: workflows.map(each => ({text: rowText(each), fact: {app: each.app, id: each.id, status: each.status}})),
      cursorAfter: count =>
        count === workflows.length && next === null ? '' : (workflows[count - 1]?.number.toString() ?? '')
    })
  }
}

const rowText = ({app, id, name, status, created, customStatus, failure}: Api.Workflow): string => {
  const more = [customStatus, failure].filter(each => each !== '').join('; ')
  return `- ${name} ${id} of ${app}: ${status}, since ${created}${more === '' ? '' : `; ${more}`}`
}

export const workflowTool: Tool = {
  name: 'workflow',
  title: 'Show a workflow',
  description:
    'Shows one instance of a workflow: its steps (activities, children, timers, events) with times, tries and failures, what it waits for, its input and output. Secrets are masked.',
  changes: 'nothing',
  properties: {id: ID, app: INSTANCE_APP, cursor: CURSOR},
  required: ['id'],
  run: async (run, all, signal) => {
    const query = givenTexts(all, 'id', 'app')
    const [detail, {steps, missing}] = await Promise.all([
      run.api.ask('GET /workflow', {query, signal}),
      run.api.ask('GET /workflow/timeline', {query, signal})
    ])
    const {status, app, id} = detail
    const lacks = missing.map(each => ` It waits for ${each} to connect a worker of workflows.`).join('')
    return textAnswer(`The workflow is ${status}.${lacks}`, detailText(detail, steps), {
      from: cursorOf(all),
      facts: {app, id, status}
    })
  }
}

const detailText = (detail: Api.WorkflowDetail, steps: readonly Api.WorkflowStep[]): string =>
  [
    rowText(detail).slice(2),
    `input: ${detail.input ?? 'none'}`,
    `output: ${detail.output ?? 'none'}`,
    ...(detail.stack === '' ? [] : [`stack: ${detail.stack}`]),
    'steps:',
    ...steps.map(stepText)
  ].join('\n')

function stepText(step: Api.WorkflowStep): string {
  const {kind, eventId, name, app, instance, startedAt, endedAt, state, tries, until, failure} = step
  const number = eventId === null ? '' : ` (event ${eventId})`
  const took = endedAt === null ? '' : ` to ${endedAt}`
  const more = [instance, tries > 1 ? `try ${tries}` : '', until === null ? '' : `until ${until}`, failure].filter(
    each => each !== ''
  )
  return `- ${kind} ${name}${number} in ${app}: ${state}, ${startedAt}${took}${more.map(each => `; ${each}`).join('')}`
}

const ACTIONS = ['raise', 'suspend', 'resume', 'terminate', 'rerun', 'skip', 'purge']

export const changeWorkflowTool: Tool = {
  name: 'change_workflow',
  title: 'Start or change a workflow',
  description:
    'Starts a workflow (name, input), or does something with an instance (id and action): raises an event that it waits for (event, data), suspends, resumes or terminates it, lets its next timer fire now (skip), runs one that is over once more from one of its steps (rerun), or removes it (purge).',
  changes: 'something',
  properties: {
    name: textProperty('Starts a workflow with this name'),
    input: textProperty('With name: its input, JSON or a text; with rerun: another input of the step'),
    id: {...ID, description: 'The id of the instance; with name: of the new one'},
    app: INSTANCE_APP,
    action: {type: 'string', description: 'What happens to the instance', enum: ACTIONS},
    event: textProperty('With raise: the name of the event'),
    data: textProperty('With raise: what comes with it, JSON or a text'),
    reason: textProperty('With suspend and resume: the reason, for the history'),
    output: textProperty('With terminate: the output, JSON or a text'),
    step: {
      type: 'integer',
      description: 'With rerun: the event number of the step to begin with; with skip: that of the timer',
      minimum: 0
    }
  },
  run: async (run, all, signal) => {
    const action = givenText(all, 'action')
    if ((all['name'] === undefined) === (action === ''))
      throw new UserError('change_workflow needs either "name" or "action"', {
        explanation:
          'For example {"name": "order", "input": "{}"}, or {"id": "o-17", "action": "raise", "event": "approved"}.'
      })
    const step =
      all['step'] === undefined ? {} : {[action === 'skip' ? 'timer' : 'eventId']: givenNumber(all, 'step', 0)}
    const body = {
      ...step,
      ...givenTexts(all, 'name', 'id', 'app', 'event', 'reason'),
      ...payloads(all, 'input', 'data', 'output')
    }
    if (action === '') return changed('Started.', await run.api.ask('POST /workflows', {body, signal}))
    if (action !== 'purge') {
      const done = await run.api.ask('POST /workflow/{action}', {at: {action}, body, signal})
      return changed('Done.', done)
    }
    const {count} = await run.api.ask('POST /workflows/purge', {
      body: {...givenTexts(all, 'app'), ids: [givenText(all, 'id')]},
      signal
    })
    return listAnswer({summary: 'Removed.', items: [], facts: {count}, isOurs: true})
  }
}

/** JSON as it is meant; any other text as a text. */
const payloads = (all: Arguments, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(givenTexts(all, ...names)).map(([name, value]) => [name, jsonOrText(value)]))

const changed = (summary: string, workflow: Api.Workflow): ToolResult =>
  listAnswer({
    summary:
      workflow.workers === 0
        ? `${summary} No worker of workflows is connected for its app: it continues when one connects.`
        : summary,
    items: [{text: rowText(workflow), fact: {app: workflow.app, id: workflow.id, status: workflow.status}}]
  })
