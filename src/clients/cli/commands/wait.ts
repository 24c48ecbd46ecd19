import type * as Api from '../../../model/api.generated.ts'
import {readCondition} from '../../../observe/api/wait/condition.ts'
import {readIgnored} from '../../../observe/api/wait/ignored-calls.ts'
import {unlessGone, findRuns, type FoundRun} from '../../../control/client.ts'
import {type CommandHandler, readTyped, UsageError} from '../command-handler.ts'
import type {GivenFlags} from '../given-flags.ts'
import {commandPlace, startText} from '../pick-run.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {flagDuration} from '../since.ts'
import {existsSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {runSockets} from '../../../control/ask.ts'
import {RunFinder, runsHere} from '../run-here.ts'

const CODES: Readonly<Record<Api.Waited['outcome'], number>> = {met: 0, impossible: 1, timeout: 124}

interface Asked {
  readonly for: readonly string[]
  readonly any: boolean
  readonly ignore: readonly string[]
  readonly from: 'start' | 'now' | number
}

/** `wait --for COND …`: waits until conditions of a run are met, also for a run that is about to start. */
export const wait: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0)
    throw new UsageError(`wait takes no arguments: conditions follow --for, as in --for ${words[0] ?? ''}`)
  const output = flags.text('output') ?? ''
  const timeout = flags.text('timeout') ?? '60s'
  const timeoutMs = flagDuration('timeout', timeout)
  const asked = readAsked(flags)
  const answer = await answerOf(flags, asked, {timeoutMs, asJson})
  if (output === 'json') print(process.stdout, `${JSON.stringify(answer)}\n`)
  else show(answer, timeout, asJson)
  return CODES[answer.outcome]
}

/** Reads the flags. Throws a UsageError for invalid conditions, patterns and ids. */
function readAsked(flags: GivenFlags): Asked {
  const conditions = flags.list('for')
  if (conditions.length === 0) throw new UsageError('wait needs a condition: --for ready')
  const ignore = flags.list('ignore')
  readTyped(() => [conditions.map(readCondition), readIgnored(ignore)])
  return {for: conditions, any: flags.isSet('any'), ignore, from: readFrom(flags.text('from') ?? 'start')}
}

function readFrom(text: string): 'start' | 'now' | number {
  if (text === 'now' || text === 'start') return text
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text)
  throw new UsageError(`invalid argument "${text}" for "--from" flag: expected now, or the id of an event`)
}

async function answerOf(
  flags: GivenFlags,
  asked: Asked,
  {timeoutMs, asJson}: {timeoutMs: number; asJson: boolean}
): Promise<Api.Waited> {
  const startedAt = performance.now()
  const run = await comingRun(flags, asJson, timeoutMs)
  const spentMs = Math.round(performance.now() - startedAt)
  if (run === undefined)
    return without(asked, 'timeout', startText(commandPlace(flags)) || 'there is no run of this template', spentMs)
  const left = Math.max(1, timeoutMs - spentMs)
  const body = {...asked, timeout: `${left}ms`}
  const answer = await unlessGone(async () => run.api.ask('POST /wait', {body}), undefined)
  const tookMs = Math.round(performance.now() - startedAt)
  return answer === undefined ? without(asked, 'impossible', 'the run has ended', tookMs) : {...answer, tookMs}
}

const without = (asked: Asked, outcome: 'timeout' | 'impossible', reason: string, tookMs: number): Api.Waited => ({
  outcome,
  id: 0,
  tookMs,
  conditions: asked.for.map(condition => ({
    condition,
    state: outcome === 'timeout' ? 'waiting' : 'impossible',
    reason,
    apps: []
  })),
  notes: []
})

function show({outcome, conditions, notes}: Api.Waited, timeout: string, asJson: boolean): void {
  if (outcome === 'timeout') say(process.stderr, 'failure', `the conditions were not met within ${timeout}`, asJson)
  for (const each of conditions) {
    if (each.state === 'met') say(process.stdout, 'success', `${each.condition}: ${each.reason}`, asJson)
    else if (outcome !== 'met') sayUnmet(each, asJson)
  }
  for (const note of notes) say(process.stderr, 'info', note, asJson)
}

/** Prints what a condition still waits for, or why it cannot be met, with the last line of each of its apps. */
export function sayUnmet({condition, state, reason, apps}: Api.Waited['conditions'][number], asJson: boolean): void {
  const lines = apps.map(({app, reason: why, lastLine}) => {
    const last = lastLine === '' ? 'it has written no output' : `its last line: ${lastLine}`
    const words = [why, lastLine !== '' && why.includes(lastLine) ? '' : last].filter(each => each !== '')
    return `\n    ${app}: ${words.join('; ')}`
  })
  say(
    process.stderr,
    state === 'impossible' ? 'failure' : 'pending',
    `${condition}: ${reason}${lines.join('')}`,
    asJson
  )
}

const LOOK_MS = 25
/** Interval in ms at which the command asks a run again that has not answered, such as a suspended one. */
const ASK_AGAIN_MS = 1000

/** Finds the run of a command, or waits until it answers. Resolves with undefined after the timeout. Throws a UserError if there are several. */
async function comingRun(flags: GivenFlags, asJson: boolean, timeoutMs: number): Promise<FoundRun | undefined> {
  const until = performance.now() + timeoutMs
  const place = commandPlace(flags)
  const tell = (text: string): void => say(process.stderr, 'info', text, asJson)
  const meant = (runs: readonly FoundRun[]): FoundRun | undefined => new RunFinder(runs, place, tell).look()
  let sockets = await socketsNow()
  let found = meant(await runsHere(asJson))
  let askedAt = performance.now()
  while (found === undefined && performance.now() < until) {
    await pause(LOOK_MS)
    const before = sockets
    sockets = await socketsNow()
    if (sockets === before && (sockets === '' || performance.now() - askedAt < ASK_AGAIN_MS)) continue
    found = meant(await findRuns(process.env))
    askedAt = performance.now()
  }
  return found
}

/** Lists the control sockets of all runs, whether they respond or not. A change of the list may mean a new run. */
async function socketsNow(): Promise<string> {
  const paths = (await runSockets(process.env)).map(({path}) => path)
  return paths.filter(path => existsSync(path)).join()
}
