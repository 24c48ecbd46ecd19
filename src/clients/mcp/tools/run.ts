import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {stripVTControlCharacters} from 'node:util'
import {inToolWords, textAnswer} from '../answer.ts'
import {givenText, SaidByApp, type Arguments, type CommandEnd, type Row, type Tool} from '../tool.ts'
import {jsonAnswer} from './route-tool.ts'

/** Shorter than the time that clients give a tool. */
const TIMEOUT = '50s'
const EXIT_NOT_IN_TIME = 124

const nameOf = (given: Arguments): readonly string[] =>
  givenText(given, 'run') === '' ? [] : ['--name', givenText(given, 'run')]

/** Returns the output of a command as an error. */
const failed = (what: string, {stdout, stderr}: CommandEnd): UserError =>
  new SaidByApp(what, inToolWords(stripVTControlCharacters(stderr.trim() || stdout.trim())))

export const upTool = (row: Row): Pick<Tool, 'alone'> => ({
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

export const downTool: Pick<Tool, 'alone'> = {
  alone: async (host, given) => {
    const end = await host.command(['down', ...nameOf(given)])
    if (end.code !== 0) throw failed('the run was not stopped', end)
    const said = inToolWords(stripVTControlCharacters(end.stdout).replace(/^\W+/, '').trim())
    return textAnswer(said, '', {from: 0})
  }
}
