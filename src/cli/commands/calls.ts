import type * as Api from '../../model/api.generated.ts'
import type {FoundRun} from '../../control/client.ts'
import {UserError} from '../../model/errors.ts'
import {askApi, copyApi, followApi} from '../ask-api.ts'
import {callText, callTable, followedLine} from '../call-table.ts'
import type {CommandHandler} from '../command-handler.ts'
import {endWithStdout, print} from '../print.ts'
import {runHere} from '../run-here.ts'
import {say} from '../say.ts'
import {UsageError} from '../usage-error.ts'
import {outputColumns} from '../columns.ts'

const ROWS = 20
const FORMATS = ['', 'table', 'ndjson']
/** Those of the API, for other programs. */
const EXPORTS = ['har', 'http', 'curl', 'otlp']

/** `calls [FILTER …] [-f] [-n N] [-o ndjson|har|http|curl|otlp]`, `calls NUMBER`: the latest calls of a run, or one with what was sent. */
export const calls: CommandHandler = async ({flags, words, asJson}) => {
  const output = flags.text('output') ?? ''
  const isExport = EXPORTS.includes(output)
  if (!isExport && !FORMATS.includes(output))
    throw new UserError(`unknown output format "${output}"`, {
      explanation: `Valid values are: table, ndjson, ${EXPORTS.join(', ')}.`
    })
  if (isExport && flags.isSet('follow'))
    throw new UserError(`-f cannot be used with -o ${output}`, {
      explanation: 'Use -f with -o table or -o ndjson.'
    })
  const limit = flags.int('number') ?? ROWS
  if (limit < 1)
    throw new UsageError(`invalid argument "${limit.toString()}" for "-n, --number" flag: expected 1 or more`)
  endWithStdout() // `calls -f | head`
  const run = await runHere(flags, asJson)
  const [number = ''] = words
  const isOne = words.length === 1 && /^\d+$/.test(number)
  const q = words.join(' ')
  if (isExport) {
    const shown = isOne ? {number} : {q, ...(flags.int('number') === undefined ? {} : {limit: limit.toString()})}
    const trailers = await copyApi(run, `/calls.${output}?${new URLSearchParams(shown).toString()}`, process.stdout)
    const overwritten = trailers['pillion-overwritten']
    if (overwritten !== undefined) say(process.stderr, 'warning', overwritten, asJson)
    return 0
  }
  if (isOne) return one(run, number, output)
  const asked = new URLSearchParams({q, limit: limit.toString()})
  const {calls: rows} = await askApi<{calls: readonly Api.Call[]}>(run, `/calls?${asked.toString()}`)
  const inOrder = rows.toReversed()
  if (output === 'ndjson') for (const row of inOrder) print(process.stdout, `${JSON.stringify(row)}\n`)
  else if (rows.length > 0) print(process.stdout, callTable(inOrder, columns()))
  else if (!flags.isSet('follow')) print(process.stdout, q === '' ? NONE : 'No call matches.\n')
  if (flags.isSet('follow')) await follow(run, q, output)
  return 0
}

const NONE = 'No calls yet. Calls between the apps, and to them, are shown here.\n'

const columns = (): number => outputColumns(40)

async function one(run: FoundRun, number: string, output: string): Promise<number> {
  const call = await askApi<Api.CallDetail>(run, `/calls/${number}`)
  print(process.stdout, output === 'ndjson' ? `${JSON.stringify(call)}\n` : callText(call))
  return 0
}

async function follow(run: FoundRun, q: string, output: string): Promise<void> {
  for await (const line of followApi(run, `/calls?${new URLSearchParams({q, follow: '1'}).toString()}`)) {
    if (output === 'ndjson') print(process.stdout, `${line}\n`)
    else print(process.stdout, followedLine(JSON.parse(line) as Api.Call | {dropped: number}, columns()))
  }
}
