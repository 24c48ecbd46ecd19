import {uncarriedLines} from '../../../model/uncarried.ts'
import {constants, setPriority} from 'node:os'
import type {FoundRun} from '../../../control/client.ts'
import type {Call, Lines} from '../../../model/api.generated.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {callText, callTable, followedLine} from '../call-table.ts'
import {wantsColours} from '../paint.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {endWithStdout, print, printWhole} from '../print.ts'
import {typedFilter, runHere} from '../run-here.ts'
import {say} from '../say.ts'
import {outputColumns} from '../width.ts'

const ROWS = 20
/** Maximum number of calls in one answer of the run's API. */
const PAGE = 1000
const MIN_COLUMNS = 40
/** Formats that the run's API writes for other programs. */
const EXPORTS = ['har', 'curl']

/** `calls [FILTER …] [-f] [-n N] [-o ndjson|har|curl]`, `calls NUMBER`: the latest calls of a run, or one with its request and response. */
export const calls: CommandHandler = async ({flags, words, asJson}) => {
  const output = flags.text('output') ?? ''
  const isExport = EXPORTS.includes(output)
  if (isExport && flags.isSet('follow'))
    throw new UserError(`-f cannot be used with -o ${output}`, {explanation: 'Use -f with -o table or -o ndjson.'})
  const limit = flags.int('number') ?? ROWS
  if (limit < 1) throw new UsageError(`invalid argument "${limit}" for "-n, --number" flag: expected 1 or more`)
  endWithStdout() // ends the command with its reader: `calls -f | head`
  const run = await runHere(flags, asJson)
  const [number = ''] = words
  const isOne = words.length === 1 && /^\d+$/.test(number)
  const q = typedFilter(words)
  if (isExport) {
    const shown = isOne ? {number} : {q, ...(flags.int('number') === undefined ? {} : {limit: limit.toString()})}
    const trailers = await copy(run, output, shown)
    const overwritten = trailers['pillion-overwritten']
    if (overwritten !== undefined) say(process.stderr, 'warning', overwritten, asJson)
    return 0
  }
  if (isOne) return one(run, number, output)
  if (output === 'json' && flags.isSet('follow'))
    throw new UserError('-f cannot be used with -o json', {explanation: 'Use -f with -o table or -o ndjson.'})
  // follows first, so that no call is missed between both requests
  const followed = flags.isSet('follow') ? await run.api.follow('GET /calls', {query: {q, follow: '1'}}) : undefined
  const rows = await latest(run, q, limit)
  const inOrder = rows.toReversed()
  if (output === 'json') print(process.stdout, `${JSON.stringify(inOrder)}\n`)
  else if (output === 'ndjson') for (const row of inOrder) print(process.stdout, `${JSON.stringify(row)}\n`)
  else if (rows.length > 0) print(process.stdout, callTable(inOrder, outputColumns(MIN_COLUMNS), hasColours()))
  else if (followed === undefined) {
    refuseUnknownApps(words, run)
    print(process.stdout, (q === '' ? NONE : 'No call matches.\n') + uncarriedLines(run.listing.apps))
  }
  if (followed !== undefined) await printAll(followed, rows, output)
  return 0
}

/** Returns up to `limit` calls that the run has kept, the latest first. */
async function latest({api}: FoundRun, q: string, limit: number): Promise<readonly Call[]> {
  const all: Call[] = []
  for (let some = PAGE; some === PAGE && all.length < limit;) {
    const query = {q, limit: Math.min(PAGE, limit - all.length), before: all.at(-1)?.number ?? 0}
    const {calls: page} = await api.ask('GET /calls', {query})
    all.push(...page)
    some = page.length
  }
  return all
}

const NONE = 'No calls yet. Calls between the apps, and to them, are shown here.\n'

/** Throws a UserError if the filter asks for the calls of an app with a misspelt id. Accepts other unknown ids: callers outside the run have names, too. */
function refuseUnknownApps(words: readonly string[], {listing}: FoundRun): void {
  const ids = listing.apps.map(({id}) => id)
  for (const word of words) {
    const named = /^(?:from|to|app):(.+)$/.exec(word)?.[1]?.split('|') ?? []
    for (const id of named.filter(each => !ids.includes(each))) {
      const near = nearMiss(id, ids)
      if (near !== '') throw new UserError(`no call matches: no app has the id ${id}: did you mean ${near}?`)
    }
  }
}

const hasColours = (): boolean => wantsColours(process.stdout.isTTY, process.env)

async function one(run: FoundRun, number: string, output: string): Promise<number> {
  const call = await run.api.ask('GET /calls/{number}', {at: {number}})
  print(process.stdout, ['json', 'ndjson'].includes(output) ? `${JSON.stringify(call)}\n` : callText(call))
  return 0
}

/** Prints each call when it ends, unless the list showed it as ended. Waits for a slow reader of stdout; the run drops calls meanwhile. */
async function printAll(
  followed: AsyncIterable<Lines['GET /calls']>,
  listed: readonly Call[],
  output: string
): Promise<void> {
  const shown = new Set(listed.filter(row => !row.isOpen).map(row => row.number))
  for await (const row of followed) {
    if ('number' in row && shown.delete(row.number)) continue
    const text =
      output === 'ndjson' ? `${JSON.stringify(row)}\n` : followedLine(row, outputColumns(MIN_COLUMNS), hasColours())
    await printWhole(process.stdout, text)
  }
}

/** Prints calls in a format of the API while they arrive; the result is the trailers. Throws a UserError if the run ends before the last call. */
async function copy(
  {api}: FoundRun,
  format: string,
  query: Readonly<Record<string, string>>
): Promise<NodeJS.Dict<string>> {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL) // the run, which carries calls, gets the processor first
  const {message} = await api.open('GET /calls.{format}', {at: {format}, query})
  if (process.stdout.isTTY) message.setEncoding('utf8') // no character is split between two pieces
  try {
    for await (const piece of message) await printWhole(process.stdout, piece as string | Buffer)
  } catch (error) {
    throw new UserError(`the connection to the run broke: ${messageOf(error)}`, {
      explanation: 'The run may have ended.'
    })
  }
  return message.trailers
}
