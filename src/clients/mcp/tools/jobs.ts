import type * as Api from '../../../model/api.generated.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {cursorOf, CURSOR, givenNumber, givenText, givenTexts, SaidByApp, textProperty, type Tool} from '../tool.ts'

const ROWS = 20
const APP = textProperty('The id of its app; needed if several apps have a job of this name')

export const jobsTool: Tool = {
  name: 'jobs',
  title: 'List jobs',
  description:
    'Lists jobs that apps of the run have scheduled: name, app, plan, when each comes next, what its app answered last. With a name: this one, with its data; secrets are masked.',
  changes: 'nothing',
  properties: {
    app: {type: 'string', description: 'Only of the app with this id'},
    name: {type: 'string', description: 'Shows the job with this name'},
    limit: {type: 'integer', description: 'Maximum number of jobs', minimum: 1, maximum: 100},
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    const name = givenText(given, 'name')
    if (name !== '') {
      const job = await run.api.ask('GET /job', {query: {name, ...givenTexts(given, 'app')}, signal})
      const text = `${rowText(job).slice(2)}\nfailure policy: ${job.failurePolicy}\ndata: ${job.data ?? 'none'}`
      return textAnswer('The job.', text, {from: cursorOf(given), facts: {app: job.app, name, state: job.state}})
    }
    const query = {...givenTexts(given, 'app'), limit: givenNumber(given, 'limit', ROWS), after: cursorOf(given)}
    const {now, jobs, next} = await run.api.ask('GET /jobs', {query, signal})
    return listAnswer({
      summary: jobs.length === 0 ? 'There are no such jobs.' : `Jobs; their clock shows ${now}.`,
      items: jobs.map(each => ({text: rowText(each), fact: {app: each.app, name: each.name, state: each.state}})),
      cursorAfter: count => (count === jobs.length && next === null ? '' : (jobs[count - 1]?.number.toString() ?? ''))
    })
  }
}

function rowText({app, name, schedule, dueTime, state, next, count, attempts, answer}: Api.Job): string {
  const more = [
    `came ${count} times`,
    attempts > 0 ? `failed ${attempts} times this time` : '',
    answer === '' ? '' : `last answer ${answer}`
  ].filter(Boolean)
  return `- ${name} of ${app}: ${schedule ?? dueTime ?? ''}; ${state}, next ${next ?? 'never'}; ${more.join('; ')}`
}

export const changeJobTool: Tool = {
  name: 'change_job',
  title: 'Run or change a job',
  description:
    'Brings a job to its app now, which counts nothing (run), lets it come no more until it is resumed (pause, resume), or deletes it.',
  changes: 'something',
  properties: {
    name: textProperty('The name of the job'),
    app: APP,
    action: {type: 'string', description: 'What happens to the job', enum: ['run', 'pause', 'resume', 'delete']}
  },
  required: ['name', 'action'],
  run: async (run, given, signal) => {
    const [name, change] = [givenText(given, 'name'), givenText(given, 'action')]
    const {job, outcome} = await run.api.ask('POST /job/{change}', {
      at: {change},
      body: {name, ...givenTexts(given, 'app')},
      signal
    })
    if (outcome !== null && outcome !== 'done')
      throw new SaidByApp(`the job ${outcome === 'failed' ? 'failed' : 'did not come'}`, job.answer)
    return listAnswer({
      summary: change === 'delete' ? 'Deleted.' : 'Done.',
      items: [{text: rowText(job), fact: {app: job.app, name, state: job.state}}]
    })
  }
}
