import type * as Api from '../../../model/api.generated.ts'
import type {FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import type {GivenFlags} from '../given-flags.ts'
import {print} from '../print.ts'
import {typedFilter, runHere} from '../run-here.ts'
import {say} from '../say.ts'
import {outputColumns} from '../width.ts'
import {sinceOf} from '../since.ts'
import {localTime} from '../call-table.ts'
import {durationText} from '../../../model/duration.ts'
import {fittingTable} from '../table.ts'

/** Parses `--window`: `30s` (until now), `120..180` (calls), `14:46:20..14:46:30` (today, in local time; the second one may be left out). Throws a UsageError. */
export function windowOf(text: string, now: number): NonNullable<Api.ReplayWishes['window']> {
  const [first = '', second, ...rest] = text.split('..')
  const from = endOf(first, now)
  const to = second === undefined || second === '' ? undefined : endOf(second, now)
  const isWhole = second === undefined ? typeof from !== 'number' : second === '' || to !== undefined
  if (from === undefined || !isWhole || rest.length > 0)
    throw new UsageError(
      `invalid argument "${text}" for "--window" flag: expected a duration until now (30s), calls (120..180) or times (14:46:20..14:46:30)`
    )
  return to === undefined ? {from} : {from, to}
}

function endOf(text: string, now: number): number | string | undefined {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?$/.exec(text)
  if (clock !== null) {
    const [hours = 0, minutes = 0, seconds = 0] = clock.slice(1, 4).map(part => Number(part ?? 0))
    return new Date(
      new Date(now).setHours(hours, minutes, seconds, Number((clock[4] ?? '').padEnd(3, '0')))
    ).toISOString()
  }
  return orElse(() => new Date(sinceOf(text, now)).toISOString(), undefined)
}

/** `replay N …` (`--data`, `--header`, `--method`, `--path` change its request), `--last-failed`, `--pinned`, `--window W [filter …]` send calls again. `--pin` and `--unpin` change the list of pinned calls; without arguments prints it. */
export const replay: CommandHandler = async context => {
  const {flags, words, asJson} = context
  const ways = ['last-failed', 'pinned', 'window', 'pin', 'unpin'].filter(
    name => flags.isSet(name) || flags.text(name) !== undefined
  )
  const [way = ''] = ways
  if (ways.length > 1) throw new UsageError(`--${ways.join(' and --')} cannot be combined`)
  if (words.length > 0 && way !== '' && way !== 'window') throw new UsageError(`--${way} takes no call numbers`)
  const window =
    way === 'window' ? {...windowOf(flags.text('window') ?? '', Date.now()), q: typedFilter(words)} : undefined
  // words that are not numbers are a filter, as for `calls` and `trace`
  const isFiltered = way === '' && words.length > 0 && words.every(word => !/^\d+$/.test(word))
  const numbers = way === '' && !isFiltered ? words.map(callNumber) : []
  const edit = editOf(flags)
  if (edit !== undefined && numbers.length !== 1 && !isFiltered && way !== 'last-failed')
    throw new UsageError('--data, --header, --method and --path change the request of one call: give its number')
  const run = await runHere(flags, asJson)
  if (way === 'pin' || way === 'unpin') return changePins(run, way, context)
  if (way === '' && words.length === 0) {
    const pins = await run.api.ask('GET /pins')
    print(
      process.stdout,
      flags.text('output') === 'json' ? `${JSON.stringify(pins)}\n` : pinsText(pins, outputColumns(40))
    )
    return 0
  }
  const wanted = isFiltered ? [await latestOf(run, typedFilter(words))] : numbers
  return sendAgain(run, {...selectionOf(way, wanted), ...(window && {window}), ...(edit && {edit})}, flags)
}

/** Finds the latest ended call that matches a filter, without replays, shadow copies and a sidecar's requests to its own app. Throws a UserError if no call matches. */
async function latestOf({api}: FoundRun, filter: string): Promise<number> {
  const query = {q: `${filter} !is:replay !is:own !is:shadow !is:open`, limit: 1}
  const [call] = (await api.ask('GET /calls', {query})).calls
  if (call !== undefined) return call.number
  throw new UserError(`no call matches ${filter}`, {
    explanation: 'pillion calls lists the calls that are kept.',
    code: 'not-found'
  })
}

/** Returns the changes that flags make to the request, undefined without such flags. Throws a UsageError for a wrong header. */
function editOf(flags: GivenFlags): Api.RequestEdit | undefined {
  const [method, path, body] = [flags.text('method'), flags.text('path'), flags.text('data')]
  const headers = flags.list('header').map(text => {
    const [, name = '', value = ''] = /^([^:\s]+):\s*(.*)$/s.exec(text) ?? []
    if (name === '') throw new UsageError(`invalid argument "${text}" for "--header" flag: expected "name: value"`)
    return [name, value === '' ? null : value] as const
  })
  const edit = {
    ...(method !== undefined && {method}),
    ...(path !== undefined && {path}),
    ...(body !== undefined && {body}),
    ...(headers.length > 0 && {headers: Object.fromEntries(headers)})
  }
  return Object.keys(edit).length === 0 ? undefined : edit
}

const selectionOf = (way: string, calls: readonly number[]): object => {
  if (way === 'last-failed') return {lastFailed: true}
  return way === 'pinned' ? {pinned: true} : way === 'window' ? {} : {calls}
}

async function sendAgain(run: FoundRun, selection: object, flags: GivenFlags): Promise<number> {
  const pace = flags.isSet('fast') ? 'answered' : 'recorded'
  const body = {...selection, pace, unsafe: flags.isSet('unsafe')}
  const isJson = flags.text('output') === 'json'
  const isSelection = !('window' in selection) && !('pinned' in selection)
  let [sent, left] = [0, 0]
  for await (const view of await run.api.follow('POST /replays', {body, isWhole: true})) {
    print(process.stdout, isJson ? `${JSON.stringify(view)}\n` : replayText(view))
    if (view.after === null) left++
    else sent++
  }
  return (isSelection && left > 0) || sent === 0 ? 1 : 0
}

async function changePins(run: FoundRun, way: 'pin' | 'unpin', {flags, asJson}: CommandContext): Promise<number> {
  const given = flags.text(way) ?? ''
  const isAll = way === 'unpin' && given === 'all'
  const call = isAll ? 0 : callNumber(given)
  const pins = await changed(run, isAll ? 'unpin all' : way, call)
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(pins)}\n`)
  else if (isAll) say(process.stdout, 'success', 'no call is pinned', asJson)
  else if (way === 'unpin') say(process.stdout, 'success', `call ${call} is no longer pinned`, asJson)
  else {
    const pin = pins.pins.find(each => each.call === call)
    const request = pin === undefined ? '' : `, ${pin.method} ${pin.path}, ${pin.from} → ${pin.to},`
    const noise = pin?.noise?.length ? ` Ignored, because it differs each time: ${pin.noise.join(', ')}.` : ''
    say(process.stdout, 'success', `call ${call}${request} is pinned: ${whenSent(pin?.method)}.${noise}`, asJson)
  }
  return 0
}

async function changed({api}: FoundRun, way: 'pin' | 'unpin' | 'unpin all', call: number): Promise<Api.Pins> {
  if (way === 'pin') return api.ask('POST /pins', {body: {call}})
  return way === 'unpin' ? api.ask('DELETE /pins/{number}', {at: {number: call}}) : api.ask('DELETE /pins')
}

const whenSent = (method = ''): string =>
  ['GET', 'HEAD', 'OPTIONS'].includes(method)
    ? 'it is sent again after each save'
    : `${method} may change data: only pillion replay --pinned --unsafe sends it`

function callNumber(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new UsageError(`"${text}" is not a call number; pillion calls lists them`)
}

/** Describes the result of sending a call again, or why the run did not send it. */
function replayText(view: Api.Replay): string {
  const {call, from, to, replay: number, before, after, differences, differ, leftOut, refusal, hint} = view
  const head = `call ${call}, ${requestOf(view)}, ${from} → ${to}: `
  if (after === null) return `${head}not sent: ${withoutName(refusal, call)}\n${hint === '' ? '' : `  ${hint}\n`}`
  const status =
    before.status === after.status ? `${statusOf(after)} again` : `${statusOf(before)} → ${statusOf(after)}`
  const time = `${durationText(before.ms)} → ${durationText(after.ms)}`
  const lines = differences.filter(({what}) => what !== 'status').map(each => `  ${differenceText(each)}\n`)
  const more = differ - differences.length
  return [
    `${head}${status} (${time})${number === 0 ? '' : `, as call ${number}`}\n`,
    after.failure === '' ? '' : `  failed: ${after.failure}\n`,
    ...lines,
    more > 0 ? `  … and ${more} more\n` : '',
    differ === 0 ? '  the same answer\n' : '',
    leftOut.length === 0 ? '' : `  ignored, because it differs each time: ${leftOut.join(', ')}\n`
  ].join('')
}

/** Returns a table of the pinned calls with their latest answers. */
function pinsText({pins, rounds}: Api.Pins, width: number): string {
  if (pins.length === 0) return NO_PINS
  const causeOf = (number: number): string => {
    const round = rounds.find(each => each.number === number)
    if (round === undefined) return ''
    const why = round.kind === 'saved' ? `${round.app}: ${round.files.join(', ')}` : round.kind
    return `${localTime(round)} ${why}`
  }
  return fittingTable(
    [
      {head: 'CALL', cells: pins.map(({call}) => call.toString()), alignsRight: true},
      {head: 'FROM → TO', cells: pins.map(({from, to}) => `${from} → ${to}`), minWidth: 16},
      {head: 'REQUEST', cells: pins.map(requestOf), minWidth: 16},
      {head: 'STATUS', cells: pins.map(({before}) => statusOf(before))},
      {head: 'LATEST', cells: pins.map(pin => outcomeOf(last(pin)?.replay)), minWidth: 12},
      {head: 'SENT', cells: pins.map(pin => causeOf(last(pin)?.round ?? 0)), minWidth: 12}
    ],
    width
  )
}

const last = ({results}: Api.Pin): Api.Pin['results'][number] | undefined => results.at(-1)

const NO_PINS = 'No call is pinned. pillion replay --pin NUMBER pins one: a GET is then sent again after each save.\n'

function outcomeOf(sent: Api.Replay | undefined): string {
  if (sent === undefined) return 'not sent yet'
  const {call, before, after, differ, refusal} = sent
  if (after === null) return `not sent: ${withoutName(refusal, call)}`
  if (before.status !== after.status) return `${statusOf(before)} → ${statusOf(after)}`
  return differ === 0 ? 'as before' : `${differ} ${differ === 1 ? 'difference' : 'differences'}`
}

const requestOf = ({method, path}: Pick<Api.Replay, 'method' | 'path'>): string => `${method} ${path}`

const statusOf = ({status}: Api.Answer): string => (status === 0 ? 'no response' : status.toString())

/** Removes the number of the call from a refusal: the line begins with it. */
const withoutName = (refusal: string, call: number): string => refusal.replace(`call ${call} is not sent again: `, '')

function differenceText({what, path, before, after}: Api.Replay['differences'][number]): string {
  const name = path || (what === 'type' ? 'content type' : what)
  return `${name}: ${before || 'nothing'} → ${after || 'nothing'}`
}
