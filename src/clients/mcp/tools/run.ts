import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {stripVTControlCharacters} from 'node:util'
import {inToolWords} from '../words.ts'
import {flag, givenText, SaidByApp, text, type Arguments, type CommandEnd, type Tool} from '../tool.ts'
import {appsAnswer} from './apps.ts'
import {listAnswer} from '../answer.ts'

/** Shorter than the time that clients give a tool. */
const TIMEOUT = '50s'
const EXIT_NOT_IN_TIME = 124

const nameOf = (given: Arguments): readonly string[] =>
  givenText(given, 'run') === '' ? [] : ['--name', givenText(given, 'run')]

/** Returns the output of a command as an error. */
const failed = (what: string, {stdout, stderr}: CommandEnd): UserError =>
  new SaidByApp(what, inToolWords(stripVTControlCharacters(stderr.trim() || stdout.trim())))

export const upTool: Tool = {
  name: 'up',
  description:
    'Starts the apps of this folder’s template in the background, or finds them running, and returns when all are ready, or why one is not.',
  changes: 'something',
  properties: {
    watch: flag('Reload an app when its files are saved'),
    only: {type: 'array', items: {type: 'string'}, description: 'Only these apps and what they depend on'},
    timeout: text(`${TIMEOUT} by default`)
  },
  alone: async (host, given) => {
    const only = (given['only'] as readonly string[] | undefined) ?? []
    const end = await host.command([
      'up',
      '-d',
      '-o',
      'json',
      '--timeout',
      givenText(given, 'timeout') || TIMEOUT,
      ...(given['watch'] === true ? ['--watch'] : []),
      ...only.flatMap(id => ['--only', id]),
      ...nameOf(given)
    ])
    const {outcome, isNew, differences = []} = upOf(end)
    if (outcome === undefined) throw failed('the apps were not started', end)
    const run = await host.find(givenText(given, 'run'), () => undefined)
    const how = isNew === true ? 'Started' : 'It runs already'
    const late = end.code === EXIT_NOT_IN_TIME ? '; not all are ready yet: "wait" waits for them' : ''
    const other = differences.length === 0 ? '' : `, and differs: ${differences.join('; ')}. "down" ends it`
    const answer = appsAnswer(await run.api.ask('GET /run'), `${how}${late}${other}. `)
    return end.code === 0 || late !== '' || other !== '' ? answer : {...answer, isError: true}
  }
}

interface UpOutcome {
  readonly outcome?: Api.Waited['outcome'] | 'ready' | 'starting' | 'differs'
  readonly isNew?: boolean
  readonly differences?: readonly string[]
}

const upOf = ({stdout}: CommandEnd): UpOutcome => orElse(() => JSON.parse(stdout) as UpOutcome, {})

export const downTool: Tool = {
  name: 'down',
  description: 'Stops all apps of this folder’s run, and ends it. Returns when nothing of it is left.',
  changes: 'something',
  properties: {},
  alone: async (host, given) => {
    const end = await host.command(['down', ...nameOf(given)])
    if (end.code !== 0) throw failed('the run was not stopped', end)
    const said = inToolWords(stripVTControlCharacters(end.stdout).replace(/^\W+/, '').trim())
    return listAnswer({summary: said, rows: [], isOurs: true})
  }
}
