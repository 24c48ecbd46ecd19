import type {IncomingMessage} from 'node:http'
import {endWithStdout, writeBytes} from '../print.ts'
import {isCalled, type FoundRun} from '../../../control/client.ts'
import {asSeen, isGone} from '../../../control/ask.ts'
import {UserError} from '../../../model/errors.ts'
import {TerminalText} from '../../../observe/logging/terminal-text.ts'
import {appPrefix, lineBatches} from '../../../model/text-lines.ts'
import {instanceName} from '../../../model/plan.ts'
import {wantsColours} from '../paint.ts'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {finishedLogs} from './finished-logs.ts'
import {inRun, printed, tailOf, type LogsWanted} from '../log-lines.ts'
import {readLine} from '../../../observe/logging/headed-lines.ts'
import {decoded} from '../../../model/bytes.ts'
import {logPrefixes} from '../log-style.ts'
import {elsewhere, noneCalled, runsMeant, shownPath} from '../pick-run.ts'
import {idsOf, runFinder, type RunFinder} from '../run-here.ts'
import {say} from '../say.ts'
import {sinceOf} from '../since.ts'

/** `logs [ID …] [-f] [--tail N] [--since T] [--grep RE] [-t]`: the logs of a running run, else the newest log files of the template. */
export const logs: CommandHandler = async context => {
  const wanted = await wantedOf(context)
  const names = [...new Set(context.flags.list('name'))]
  if (names.length > 1) return logsOfSeveral(context, wanted, names)
  const finder = await runFinder(context.flags.with({name: names[0]}), context.asJson)
  endWithStdout() // ends the command with its reader: `logs | head`
  const run = runOf(finder, wanted.ids)
  const [id = ''] = wanted.ids
  const isPlain = wanted.ids.length === 1 && !wanted.hasTimes && !wanted.asJson && wanted.grep === undefined
  if (run === undefined) {
    if (names[0] !== undefined) {
      const text = `${noneCalled(names[0], finder.runs).message}; what follows is in the newest log files, of whatever run`
      say(process.stderr, 'warning', text, wanted.asJson)
    }
    const texts = await finishedLogs(
      wanted,
      finder.place.template && shownPath(finder.place.template),
      elsewhere(finder.runs, finder.place)
    )
    await write(isPlain ? asTheyAre(texts.plain, appPrefix(id)) : lines(texts.headed, wanted, texts.names))
    return 0
  }
  if (isPlain) {
    const prefix = run.listing.template.file === '' ? '' : appPrefix(id)
    const name = wanted.version === '' ? id : `${id}@${wanted.version}`
    const {message} = await run.api.open('GET /apps/{id}/logs', {at: {id: name}, query: queryOf(wanted), accept: BYTES})
    await write(asTheyAre(textsOf(message, wanted), prefix))
  } else await writeLines(run, wanted)
  return 0
}

/** `logs --name A --name B`: the lines of several runs, one after the other; with `-f` as they come. Each line names its run. */
async function logsOfSeveral(context: CommandContext, wanted: LogsWanted, names: readonly string[]): Promise<number> {
  const runs: {readonly run: FoundRun; readonly ids: readonly string[]}[] = []
  const missed = new Set(wanted.ids)
  for (const name of names) {
    const run = (await runFinder(context.flags.with({name}), context.asJson)).find()
    const ids = wanted.ids.filter(id => run.listing.apps.some(app => isCalled(app, id)))
    for (const id of ids) missed.delete(id)
    if (wanted.ids.length === 0 || ids.length > 0) runs.push({run, ids})
  }
  const [unknown] = missed
  if (unknown !== undefined) throw new UserError(`none of ${names.join(', ')} has an app id ${unknown}`)
  endWithStdout()
  const show = async ({run, ids}: (typeof runs)[number]): Promise<void> =>
    writeLines(run, {...wanted, ids, run: run.listing.name})
  if (wanted.isFollowed) await Promise.all(runs.map(show))
  else for (const each of runs) await show(each)
  return 0
}

/** Writes the `wanted` lines of apps of a run. */
export async function writeLines(run: FoundRun, wanted: LogsWanted): Promise<void> {
  const query = queryOf({...wanted, tail: wanted.grep === undefined ? wanted.tail : -1}) // with `--grep`, `lines` counts the last N matching lines
  for (const each of wanted.ids) query.append('app', each)
  if (wanted.version !== '') query.set('version', wanted.version)
  const {message} = await run.api.open('GET /logs', {query, accept: BYTES})
  const names = run.listing.apps.map(app => inRun(wanted.run, instanceName(app.id, app.instance)))
  await write(lines(textsOf(message, wanted), wanted, names))
}

/** Media type of logs as the apps wrote them, whatever bytes these are. */
const BYTES = 'application/octet-stream'

function queryOf({tail, since, isFollowed}: Pick<LogsWanted, 'tail' | 'since' | 'isFollowed'>): URLSearchParams {
  return new URLSearchParams({
    ...(tail >= 0 && {tail: tail.toString()}),
    ...(since > 0 && {since: new Date(since).toISOString()}),
    ...(isFollowed && {follow: ''})
  })
}

/** Yields a response as latin1 text, piece by piece. If the run is killed, ends with `-f`, else throws a UserError. */
async function* textsOf(message: IncomingMessage, {isFollowed}: LogsWanted): AsyncGenerator<string> {
  message.setEncoding('latin1')
  try {
    for await (const piece of message) yield piece as string
  } catch (error) {
    if (!isFollowed || !isGone(error)) throw asSeen(error)
  }
}

async function wantedOf({flags, words, asJson}: CommandContext): Promise<LogsWanted> {
  const tail = tailOf(flags)
  const pattern = flags.text('grep')
  return {
    ids: idsOf({words, flags}),
    tail: tail === Infinity ? -1 : tail,
    since: flags.names.includes('since') ? sinceOf(flags.text('since') ?? '', Date.now()) : 0,
    isFollowed: flags.isSet('follow'),
    version: flags.text('version') ?? '',
    run: '',
    hasTimes: flags.isSet('timestamps'),
    grep: pattern === undefined ? undefined : (await import('../log-lines.ts')).grepOf(pattern),
    asJson
  }
}

/** Finds the run of the apps. Returns undefined if none is running: log files may exist. Throws a UserError if the run lacks one of the ids. */
function runOf(finder: RunFinder, ids: readonly string[]): FoundRun | undefined {
  if (ids.length === 0 || runsMeant(finder.runs, finder.place).length === 0) return finder.look()
  const [run, ...others] = new Set(ids.map(id => finder.find(id)))
  if (others.length > 0) throw new UserError(`${ids.join(', ')} belong to different runs: name apps of one run`)
  return run
}

/** Yields the texts unchanged. On a terminal control characters become visible (`TerminalText`). */
async function* asTheyAre(texts: AsyncIterable<string>, prefix: string): AsyncGenerator<string> {
  const terminal = process.stdout.isTTY ? new TerminalText(prefix) : undefined
  for await (const text of texts) yield terminal?.push(text) ?? text
  yield terminal?.end() ?? ''
}

/** Yields the lines of several apps, filtered and formatted. The run sends '' between stored and new lines: `--tail` counts stored ones. */
async function* lines(
  texts: AsyncIterable<string>,
  wanted: LogsWanted,
  names: readonly string[]
): AsyncGenerator<string> {
  const {grep, tail, asJson, hasTimes, run} = wanted
  const isTerminal = process.stdout.isTTY
  const prefixOf = logPrefixes(names, wantsColours(isTerminal, process.env))
  const form = {asJson, hasTimes, isTerminal, prefixOf, run}
  let hasWarned = !hasTimes
  let kept: string[] | undefined = grep !== undefined && tail >= 0 ? [] : undefined
  for await (const batch of lineBatches(texts)) {
    let text = ''
    for (const line of batch.map(readLine)) {
      // lines that belong to no app are always shown
      if (typeof line !== 'string' && grep?.test(decoded(line.text)) === false) continue
      if (line === '') {
        text += lastOf(kept, tail)
        kept = undefined
      } else if (typeof line === 'string') {
        if (asJson) say(process.stderr, 'warning', decoded(line), true)
        else text += `${line}\n`
      } else {
        if (!hasWarned && line.time === 0) say(process.stderr, 'warning', NO_TIMES, asJson)
        hasWarned ||= line.time === 0
        const shown = printed(line, form)
        if (kept === undefined) text += shown
        else kept.push(shown)
      }
    }
    if (kept !== undefined && kept.length > 2 * tail) kept = kept.slice(kept.length - tail)
    if (text !== '') yield text
  }
  yield lastOf(kept, tail)
}

const lastOf = (kept: readonly string[] | undefined, count: number): string =>
  (kept ?? []).slice(Math.max(0, (kept?.length ?? 0) - count)).join('')

const NO_TIMES = 'log files contain no times: lines that are only in files are shown app by app'

async function write(texts: AsyncIterable<string>): Promise<void> {
  for await (const text of texts) await writeBytes(process.stdout, text)
}
