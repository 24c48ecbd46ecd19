import {ApiError, textLines} from '../../../control/api-client.ts'
import {calledPort} from '../../../control/client.ts'
import type * as Api from '../../../model/api.generated.ts'
import {stateText} from '../../../model/app-words.ts'
import {isUsable} from '../../../model/availability.ts'
import {durationText} from '../../../model/duration.ts'
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {inToolWords} from '../words.ts'
import {APP, CURSOR, cursorOf, cursorParts, flag, givenNumber, givenText, SaidByApp, text, whole} from '../tool.ts'
import type {CommandEnd, Tool, ToolResult} from '../tool.ts'

export const listApps: Tool = {
  name: 'list_apps',
  description: 'The apps of the run: state, port, sidecar, restarts, recent calls; and faults that are on.',
  changes: 'nothing',
  properties: {cursor: CURSOR},
  run: async (run, given, signal) => appsAnswer(await run.api.ask('GET /run', {signal}), '', cursorOf(given))
}

/** The apps of a run, from one on. */
export function appsAnswer({apps, name, template, lastCall, faults}: Api.Run, head: string, from = 0): ToolResult {
  const left = apps.slice(from)
  const stopped = apps.filter(({availability}) => availability === 'stopped').length
  const unready = apps.filter(({availability: how}) => how !== 'stopped' && !isUsable(how)).length
  const states = `${unready === 0 ? 'all ready' : `${unready} not ready`}${stopped === 0 ? '' : `, ${stopped} stopped`}`
  const on = faults.length === 0 ? '' : ` ${faults.length} faults are on: "fault" lists them.`
  return listAnswer({
    summary: `${head}${apps.length} apps, ${states}; ${lastCall} calls so far. Run: ${name}. Template: ${template.file || 'none'}.${on}`,
    rows: left.map(appText),
    facts: {lastCall, isReady: unready === 0},
    cursorAfter: count => (count < left.length ? (from + count).toString() : ''),
    isOurs: true
  })
}

function appText(app: Api.App): string {
  const {id, version, instance, restarts, httpPort, recent} = app
  const parts = [
    stateText(app, Date.now()),
    calledPort(app) === 0 ? 'no port' : `port ${calledPort(app)}`,
    httpPort === 0 ? '' : `sidecar at ${httpPort}`,
    restarts === 0 ? '' : `${restarts} restarts`,
    recent.calls === 0 ? '' : `${recent.calls} calls, ${recent.failed} failed in ${recent.seconds} s`
  ]
  const name = `${id}${version === '0.0.0' ? '' : `@${version}`}${instance === 1 ? '' : `.${instance}`}`
  return `- ${name}: ${parts.filter(part => part !== '').join('; ')}`
}

const LINES = 100
/** The header with the place in the log of the run where an answer ends. */
const LOG_PLACE = 'pillion-log-place'
/** Number of lines that are searched for the text. */
const SEARCHED_LINES = 10_000
const LAST_RUN = flag('Of the run that has ended')
const ENDED = 'No run is here now; this is of the last one.'

/** A command that answers for a run that has ended: where that is asked for, or there is no run. */
async function ofLastRun(end: Promise<CommandEnd>): Promise<string> {
  const {code, stdout, stderr} = await end
  if (code === 0) return stdout
  throw new UserError(inToolWords(stderr.replace(/^\W+/, '').trim()) || 'nothing is known of a run that has ended')
}

export const appLogs: Tool = {
  name: 'app_logs',
  description: 'The last lines that an app has written, the newest last.',
  changes: 'nothing',
  properties: {
    app: APP,
    grep: text('Only those of the last 10,000 lines with this text, in any case'),
    lines: whole('How many, 100 by default', 1000),
    lastRun: LAST_RUN,
    cursor: CURSOR
  },
  required: ['app'],
  alone: async (host, given, error) => {
    if (error === undefined) return undefined // its files are those of the run that runs
    const [app, grep] = [givenText(given, 'app'), givenText(given, 'grep').toLowerCase()]
    const written = await ofLastRun(host.command(['logs', app, '--tail', SEARCHED_LINES.toString()]))
    const lines = written.split('\n').filter(line => line !== '' && line.toLowerCase().includes(grep))
    const rows = lines.slice(-givenNumber(given, 'lines', LINES))
    return listAnswer({summary: `${ENDED} Lines of ${app}:`, rows, fromEnd: true})
  },
  run: async (run, given, signal) => {
    const [app, grep] = [givenText(given, 'app'), givenText(given, 'grep')]
    if (given['lastRun'] === true)
      throw new UserError('a run is here, and continues the log of the last one', {explanation: 'Leave out "lastRun".'})
    const wanted = givenNumber(given, 'lines', LINES)
    const started = Date.parse(run.listing.startedAt)
    const [place = '', before = '0', of = started] = cursorParts(given, /^(\d*):(\d+):(\d+)$/)
    const shown = Number(before)
    if (Number(of) !== started)
      throw new UserError('the cursor is of a run that has ended', {
        explanation: 'Leave it out for the lines of this run.'
      })
    const tail = grep === '' ? shown + wanted : SEARCHED_LINES
    // without what came since the first answer
    const query = {tail, ...(grep !== '' && {grep}), ...(place !== '' && {before: place})}
    const {body, message} = await run.api.open('GET /apps/{id}/logs', {at: {id: app}, query, signal})
    const lines: string[] = []
    for await (const line of textLines(body)) lines.push(line)
    const at = message.headers[LOG_PLACE]?.toString() ?? ''
    const older = lines.slice(0, Math.max(0, lines.length - shown)).slice(-wanted)
    const isEnd = grep === '' ? lines.length < tail : lines.length <= shown + wanted
    const none = `${app} has written no ${shown > 0 ? 'older' : 'such'} lines.`
    return listAnswer({
      summary: older.length === 0 ? none : `Lines of ${app}:`,
      rows: older,
      cursorAfter: count => (count < older.length || !isEnd ? `${at}:${shown + count}:${started}` : ''),
      fromEnd: true
    })
  }
}

export const whyTool: Tool = {
  name: 'why',
  description:
    'Why an app accepts no calls, and how its latest process exited unexpectedly: exit code, calls in flight, last lines.',
  changes: 'nothing',
  properties: {app: APP, end: whole('The number of one exit, instead of an app'), lastRun: LAST_RUN, cursor: CURSOR},
  alone: async (host, given, error) => {
    if (error === undefined && given['lastRun'] !== true) return undefined
    const what = givenText(given, 'app') || givenNumber(given, 'end').toString()
    const json = await ofLastRun(host.command(['why', what, '--last-run', '-o', 'json']))
    const death = orElse(() => JSON.parse(json) as readonly Api.Death[], []).at(-1)
    const head = error === undefined ? 'This is of the last run.' : ENDED
    if (death === undefined && error !== undefined) return undefined
    if (death === undefined) return textAnswer(`${head} No unexpected exit of ${what} is known.`, '', {from: 0})
    return textAnswer(head, deathText(death), {from: cursorOf(given), facts: {end: death.number}})
  },
  run: async (run, given, signal) => {
    const from = cursorOf(given)
    const end = givenNumber(given, 'end')
    if (end > 0) {
      const death = await run.api.ask('GET /deaths/{number}', {at: {number: end}, signal})
      return textAnswer(`Exit ${end}.`, deathText(death), {from, facts: {end}})
    }
    const id = givenText(given, 'app')
    if (id === '')
      throw new UserError('why needs "app" or "end"', {
        explanation: 'For example {"app": "shop"}; "list_apps" has the ids.'
      })
    const {app, instances, death, deaths} = await run.api.ask('GET /apps/{id}/why', {at: {id}, signal})
    const isReady = instances.every(({availability}) => isUsable(availability))
    const states = instances.map(each => `${each.name}: ${each.reason || (each.isReady ? 'ready' : 'not ready')}\n`)
    const summary = `${app} is ${isReady ? 'ready' : 'not ready'}; ${deaths} unexpected exits are recorded.`
    const facts = {app, isReady, end: death?.number ?? null}
    return textAnswer(summary, `${states.join('')}${death === null ? '' : `\n${deathText(death)}`}`, {from, facts})
  }
}

function deathText(death: Api.Death): string {
  const {number, version, text: how, at, place, files, inside, own = [], earlier, finished, lines, hint} = death
  return [
    `exit ${number}${version === '0.0.0' ? '' : ` of version ${version}`}: ${how}, at ${at}`,
    place === '' ? '' : `its code failed at ${place}`,
    files.length === 0 ? '' : `started by a change of ${files.join(', ')}`,
    hint,
    own.length === 0 ? '' : `sent by Pillion: ${own.join(', ')}`,
    inside.length > 0 ? 'in flight:' : own.length > 0 ? '' : 'no recorded call was in flight',
    ...inside.map(call => {
      const again =
        call.times === 0 ? '' : `, the same request was in flight at ${call.times} of the ${earlier} exits before`
      const equal = call.count === 1 ? '' : ` ×${call.count}`
      return `  ${callText(call)}${equal}, for ${durationText(call.forMs)}${again}`
    }),
    finished.length === 0 ? '' : 'answered before:',
    ...finished.map(call => `  ${callText(call)} ${call.status}`),
    lines.length === 0 ? 'it wrote nothing' : 'its last lines:',
    ...lines.map(line => `  ${line}`)
  ]
    .filter(line => line !== '')
    .map(line => `${line}\n`)
    .join('')
}

const callText = ({number, from, to, method, path: target}: Api.Call): string =>
  `call ${number} ${from} → ${to} ${method} ${target}`

const changing = (verb: 'start' | 'restart', description: string): Tool => ({
  name: verb,
  description,
  changes: 'something',
  properties: {app: APP},
  required: ['app'],
  run: async (run, given, signal) => {
    const id = givenText(given, 'app')
    const {apps, isChanged} = await run.api
      .ask(`POST /apps/{id}/${verb}`, {at: {id}, signal})
      .catch((error: unknown) => {
        // the reason may have the last line of the app
        if (error instanceof ApiError && error.status === 409)
          throw new SaidByApp(`"${id}" was not ${verb}ed`, error.reason)
        throw error
      })
    const summary = verb === 'restart' ? 'Restarted.' : isChanged === false ? 'It runs already.' : 'Started.'
    return listAnswer({summary, rows: apps.map(appText), isOurs: true})
  }
})

export const restartTool = changing(
  'restart',
  'Replaces the processes of an app. Calls to it wait meanwhile. Returns when the new ones run.'
)
export const startTool = changing('start', 'Starts an app that was stopped or has ended.')
