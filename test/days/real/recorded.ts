import type {Call} from '../world.ts'

/** A call as `pillion calls -o ndjson` shows it. */
interface CallLine {
  readonly from: string
  readonly to: string
  readonly path: string
  readonly status: number
  readonly isOpen: boolean
  readonly isFailed: boolean
  /** How often its request was sent. */
  readonly attempts: number
}

/** What has happened, as those saw it who made calls and got them. */
export interface Happened {
  /** Those of this run. */
  readonly calls: readonly Call[]
  /** Numbers of the calls that apps have got, each as often as it came. */
  readonly delivered: readonly string[]
  /** How many events the apps of this run have got; undefined: no app runs that would tell which run it is. */
  readonly events: number | undefined
}

export const readRecords = (ndjson: string): readonly CallLine[] =>
  ndjson
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as CallLine)

/** Where the recorder shows something else than what has happened, a sentence each. */
export function recordFaults(records: readonly CallLine[], {calls, delivered, events}: Happened): readonly string[] {
  const byNumber = Map.groupBy(records, ({path}) => /[?&]call=(\d+)/.exec(path)?.[1] ?? '')
  const faults = calls.flatMap(call => faultsOfCall(call, byNumber.get(call.number) ?? [], delivered))
  const ofEvents = records.filter(({from}) => /^(bus|redis)\/to-/.test(from))
  const answered = ofEvents.filter(({status}) => status === 200).length
  if (events !== undefined && (answered > events || events > ofEvents.length))
    faults.push(`the recorder shows ${ofEvents.length} events, ${answered} of them taken; apps have got ${events}`)
  return faults
}

function faultsOfCall(call: Call, records: readonly CallLine[], delivered: readonly string[]): readonly string[] {
  const {number, from, to, status} = call
  const words = `call ${number} from ${from} to ${to}`
  const [record] = records
  // without an answer it may never have come to the run
  if (record === undefined) return status === undefined || status === 0 ? [] : [`${words} is not recorded`]
  if (records.length > 1) return [`${words} is recorded ${records.length} times`]
  const faults: string[] = []
  if (record.from !== from || record.to !== to)
    faults.push(`${words} is recorded as from ${record.from} to ${record.to}`)
  if (status !== undefined && status > 0) {
    if (record.isOpen) faults.push(`${words} was answered, and is recorded as open`)
    if (call.isGrpc ? record.isFailed !== (status !== 200) : record.status !== status)
      faults.push(`${words} ended with ${status}, and is recorded with ${record.status}`)
  }
  if (delivered.includes(number) && record.attempts === 0) faults.push(`${words} came, and is recorded as never sent`)
  return faults
}
