import {ApiError, textLines} from '../../../control/api-client.ts'
import {calledPort} from '../../../control/client.ts'
import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {isUsable} from '../../../model/availability.ts'
import {stateText} from '../../../model/app-words.ts'
import {durationText} from '../../../model/duration.ts'
import {APP, CURSOR, cursorOf, cursorParts, givenNumber, givenText, SaidByApp, type Tool} from '../tool.ts'

export const listApps: Tool = {
  name: 'list_apps',
  title: 'List apps',
  description: 'The apps of the run: state, whether each accepts calls, ports, restarts, and recent calls.',
  changes: 'nothing',
  properties: {cursor: CURSOR},
  run: async (run, given, signal) => {
    const {apps, name, template, lastCall} = await run.api.ask('GET /run', {signal})
    const from = cursorOf(given)
    const left = apps.slice(from)
    const wanted = apps.filter(({availability}) => availability !== 'stopped')
    const unready = wanted.filter(({availability}) => !isUsable(availability)).length
    const stopped = apps.length - wanted.length
    const states = [
      unready === 0 ? 'all ready' : `${unready} not ready`,
      ...(stopped === 0 ? [] : [`${stopped} stopped`])
    ]
    return listAnswer({
      summary: `${apps.length} apps, ${states.join(', ')}; ${lastCall} calls so far. Run: ${name}. Template: ${template.file || 'none'}.`,
      items: left.map(app => ({text: appText(app), fact: factOf(app)})),
      facts: {lastCall},
      cursorAfter: count => (count < left.length ? (from + count).toString() : ''),
      isOurs: true
    })
  }
}

const factOf = ({id, instance, state, isReady, availability}: Api.App): Record<string, unknown> => ({
  id,
  instance,
  state,
  isReady,
  availability
})

function appText(app: Api.App): string {
  const {id, version, instance, restarts, httpPort, recent} = app
  const parts = [
    stateText(app, Date.now()),
    calledPort(app) === 0 ? 'no port' : `port ${calledPort(app)}`,
    `sidecar at ${httpPort}`,
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

export const appLogs: Tool = {
  name: 'app_logs',
  title: 'Log of an app',
  description:
    'The last lines that an app has written, the newest last; older ones with the cursor. With grep: those of the last 10,000 that contain a text, in any case.',
  changes: 'nothing',
  properties: {
    app: APP,
    grep: {type: 'string', description: 'Only lines that contain this text'},
    lines: {type: 'integer', description: 'How many lines, 100 by default', minimum: 1, maximum: 1000},
    cursor: CURSOR
  },
  required: ['app'],
  run: async (run, given, signal) => {
    const app = givenText(given, 'app')
    const grep = givenText(given, 'grep')
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
      items: older.map(text => ({text})),
      cursorAfter: count => (count < older.length || !isEnd ? `${at}:${shown + count}:${started}` : ''),
      fromEnd: true
    })
  }
}

export const whyTool: Tool = {
  name: 'why',
  title: 'Why an app is not running',
  description:
    'Why an app accepts no calls, and how its latest process exited unexpectedly: exit code, the calls in flight, its last lines. Or one such exit by its number.',
  changes: 'nothing',
  properties: {
    app: APP,
    end: {type: 'integer', description: 'The number of an exit, instead of an app', minimum: 1},
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    const from = cursorOf(given)
    const end = givenNumber(given, 'end', 0)
    if (end > 0) {
      const death = await run.api.ask('GET /deaths/{number}', {at: {number: end}, signal})
      return textAnswer(`Exit ${end}.`, deathText(death), {from, facts: {end}})
    }
    const id = givenText(given, 'app')
    if (id === '')
      throw new UserError('why needs "app" or "end"', {
        explanation: 'For example {"app": "shop"}; "list_apps" has the ids.'
      })
    const view = await run.api.ask('GET /apps/{id}/why', {at: {id}, signal})
    const {app, instances, death, deaths} = view
    const unready = instances.filter(({availability}) => !isUsable(availability)).length
    const states = instances.map(
      ({name, isReady, reason}) => `${name}: ${reason || (isReady ? 'ready' : 'not ready')}\n`
    )
    const summary = `${app} is ${unready === 0 ? 'ready' : 'not ready'}; ${deaths} unexpected exits are recorded.`
    const facts = {app, isReady: unready === 0, end: death?.number ?? null}
    return textAnswer(summary, `${states.join('')}${death === null ? '' : `\n${deathText(death)}`}`, {from, facts})
  }
}

function deathText(death: Api.Death): string {
  const {number, version, text, at, place, files, inside, earlier, finished, lines, hint} = death
  return [
    `exit ${number}${version === '0.0.0' ? '' : ` of version ${version}`}: ${text}, at ${at}`,
    place === '' ? '' : `its code failed at ${place}`,
    files.length === 0 ? '' : `started by a change of ${files.join(', ')}`,
    hint,
    inside.length === 0 ? 'no recorded call was in flight' : 'in flight:',
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

export const restartTool: Tool = {
  name: 'restart',
  title: 'Restart an app',
  description: 'Replaces the processes of an app. Calls to it wait meanwhile. Returns when the new ones run.',
  changes: 'something',
  properties: {app: APP},
  required: ['app'],
  run: async (run, given, signal) => {
    const id = givenText(given, 'app')
    const {apps} = await run.api.ask('POST /apps/{id}/restart', {at: {id}, signal}).catch((error: unknown) => {
      // the reason may have the last line of the app
      if (error instanceof ApiError && error.status === 409)
        throw new SaidByApp(`"${id}" was not restarted`, error.reason)
      throw error
    })
    return listAnswer({
      summary: 'Restarted.',
      items: apps.map(app => ({text: appText(app), fact: factOf(app)})),
      isOurs: true
    })
  }
}
