import type * as Api from '../../model/api.generated.ts'
import {localTime} from './call-table.ts'
import {durationText} from '../../model/duration.ts'
import {fittingTable} from './table.ts'

/** The result of a call that was to be sent again. */
export function replayText(view: Api.Replay): string {
  const {call, from, to, replay, before, after, differences, differ, leftOut, refusal, hint} = view
  const head = `call ${call}, ${requestOf(view)}, ${from} → ${to}: `
  if (after === null) return `${head}not sent: ${withoutName(refusal, call)}\n${hint === '' ? '' : `  ${hint}\n`}`
  const status =
    before.status === after.status ? `${statusOf(after)} again` : `${statusOf(before)} → ${statusOf(after)}`
  const time = `${durationText(before.ms)} → ${durationText(after.ms)}`
  const lines = differences.filter(({what}) => what !== 'status').map(each => `  ${differenceText(each)}\n`)
  const more = differ - differences.length
  return [
    `${head}${status} (${time})${replay === 0 ? '' : `, as call ${replay}`}\n`,
    after.failure === '' ? '' : `  failed: ${after.failure}\n`,
    ...lines,
    more > 0 ? `  … and ${more} more\n` : '',
    differ === 0 ? '  the same answer\n' : '',
    leftOut.length === 0 ? '' : `  ignored, because it differs each time: ${leftOut.join(', ')}\n`
  ].join('')
}

/** The pinned calls, and how they were answered last. */
export function pinsText({pins, rounds}: Api.Pins, width: number): string {
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

/** The outcome in a few words. */
function outcomeOf(replay: Api.Replay | undefined): string {
  if (replay === undefined) return 'not sent yet'
  const {call, before, after, differ, refusal} = replay
  if (after === null) return `not sent: ${withoutName(refusal, call)}`
  if (before.status !== after.status) return `${statusOf(before)} → ${statusOf(after)}`
  return differ === 0 ? 'as before' : `${differ} ${differ === 1 ? 'difference' : 'differences'}`
}

const requestOf = ({method, path}: Pick<Api.Replay, 'method' | 'path'>): string => `${method} ${path}`

const statusOf = ({status}: Api.Answer): string => (status === 0 ? 'no response' : status.toString())

/** The line names the call already. */
const withoutName = (refusal: string, call: number): string => refusal.replace(`call ${call} is not sent again: `, '')

function differenceText({what, path, before, after}: Api.Replay['differences'][number]): string {
  const name = path || (what === 'type' ? 'content type' : what)
  return `${name}: ${before || 'nothing'} → ${after || 'nothing'}`
}
