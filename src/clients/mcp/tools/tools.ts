import {
  cursorOf,
  type Row,
  type Tool,
  givenText,
  SaidByApp,
  type Arguments,
  type CommandEnd,
  cursorParts,
  givenNumber
} from '../tool.ts'
import {ROWS} from '../tools.generated.js'
import {invokeTool} from './invoke.ts'
import {
  faultTool,
  replayTool,
  changeReminderTool,
  changeWorkflowTool,
  replayWorkflowTool,
  traceTool
} from './requests.ts'
import {asksOf, askRoutes, jsonAnswer} from './route-tool.ts'
import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {stripVTControlCharacters} from 'node:util'
import {inToolWords, textAnswer, listAnswer} from '../answer.ts'
import {textLines} from '../../../control/api-client.ts'

/** Shorter than the time that clients give a tool. */
const TIMEOUT = '50s'
const EXIT_NOT_IN_TIME = 124

const nameOf = (given: Arguments): readonly string[] =>
  givenText(given, 'run') === '' ? [] : ['--name', givenText(given, 'run')]

const failed = (what: string, {stdout, stderr}: CommandEnd): UserError =>
  new SaidByApp(what, inToolWords(stripVTControlCharacters(stderr.trim() || stdout.trim())))

const upTool = (row: Row): Pick<Tool, 'alone'> => ({
  alone: async (host, given) => {
    const only = (given['only'] as readonly string[] | undefined) ?? []
    const watch = given['watch'] === true ? ['--watch'] : []
    const flags = ['--timeout', givenText(given, 'timeout') || TIMEOUT, ...watch, ...only.flatMap(id => ['--only', id])]
    const end = await host.command(['up', '-d', '-o', 'json', ...flags, ...nameOf(given)])
    const {outcome, isNew, differences = []} = upOf(end)
    if (outcome === undefined) throw failed('the apps were not started', end)
    const run = await host.find(givenText(given, 'run'), () => undefined)
    const how = isNew === true ? 'Started' : 'It runs already'
    const late = end.code === EXIT_NOT_IN_TIME ? '; not all are ready yet: "wait" waits for them' : ''
    const other = differences.length === 0 ? '' : `, and differs: ${differences.join('; ')}. "down" ends it`
    const answer = jsonAnswer(row, await run.api.ask('GET /run'), {note: `${how}${late}${other}. `})
    return end.code === 0 || late !== '' || other !== '' ? answer : {...answer, isError: true}
  }
})

interface UpOutcome {
  readonly outcome?: Api.Waited['outcome'] | 'ready' | 'starting' | 'differs'
  readonly isNew?: boolean
  readonly differences?: readonly string[]
}

const upOf = ({stdout}: CommandEnd): UpOutcome => orElse(() => JSON.parse(stdout) as UpOutcome, {})

const downTool: Pick<Tool, 'alone'> = {
  alone: async (host, given) => {
    const end = await host.command(['down', ...nameOf(given)])
    if (end.code !== 0) throw failed('the run was not stopped', end)
    const said = inToolWords(stripVTControlCharacters(end.stdout).replace(/^\W+/, '').trim())
    return textAnswer(said, '', {from: 0})
  }
}

const LINES = 100
/** The header with the place in the log of the run where an answer ends. */
const LOG_PLACE = 'pillion-log-place'
/** Number of latest lines that are searched for the text of `grep`. */
const SEARCHED_LINES = 10_000
const ENDED = 'No run is here now; this is of the last one.'

/** Returns the output of a command about the last run, which has ended. Throws a UserError with the command's message. */
async function ofLastRun(end: Promise<CommandEnd>): Promise<string> {
  const {code, stdout, stderr} = await end
  if (code === 0) return stdout
  throw new UserError(inToolWords(stderr.replace(/^\W+/, '').trim()) || 'nothing is known of a run that has ended')
}

export const appLogsTool: Pick<Tool, 'alone' | 'run'> = {
  alone: async (host, given, error) => {
    if (error === undefined) return undefined // a run is searched first: the log files belong to it while it lives
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
    // `before` leaves out lines that were written since the first answer
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

/** Answers `why` for a run that has ended: on request, or if no run lives. */
const whyTool = (row: Row): Pick<Tool, 'alone'> => ({
  alone: async (host, given, error) => {
    if (error === undefined && given['lastRun'] !== true) return undefined
    const what = givenText(given, 'app') || (given['end'] === undefined ? '' : givenNumber(given, 'end').toString())
    const words = what === '' ? [] : [what]
    const json = await ofLastRun(host.command(['why', ...words, '--last-run', '-o', 'json']))
    const death = orElse(() => JSON.parse(json) as readonly Api.Death[], []).at(-1)
    const note = error === undefined ? 'This is of the last run. ' : `${ENDED} `
    if (death === undefined && error !== undefined) return undefined
    if (death === undefined) return textAnswer(`${note}No unexpected exit of ${what} is known.`, '', {from: 0})
    return jsonAnswer(row, death, {cursor: cursorOf(given), note})
  }
})

/** Code of the tools that are more than a request to the API whose answer is shown as JSON. */
const OWN: Readonly<Record<string, Pick<Tool, 'alone' | 'run'> | ((row: Row) => Pick<Tool, 'alone' | 'run'>)>> = {
  up: upTool,
  down: downTool,
  invoke: invokeTool,
  trace: traceTool,
  app_logs: appLogsTool,
  why: whyTool,
  replay: replayTool,
  fault: faultTool,
  change_workflow: changeWorkflowTool,
  change_reminder: changeReminderTool,
  replay_workflow: replayWorkflowTool
}

/** The tools of `x-tools` in `schema/api.yaml`. */
export const TOOLS: readonly Tool[] = ROWS.map(row => {
  const own = OWN[row.name]
  return {
    ...row,
    run: async (run, given, signal) => askRoutes(run, row, asksOf(row, given), {cursor: cursorOf(given), signal}),
    ...(typeof own === 'function' ? own(row) : own)
  }
})
