import type {Call, CallObserver, CallRecord, Direction} from '../../../src/model/call.ts'
import type {HeadText} from '../../../src/model/call.ts'
import type {Asked} from './call-caller.ts'
import {answerTo} from './call-app.ts'
import {bodyOf} from './body.ts'

interface Seen {
  request: string
  response: string
  record: CallRecord | undefined
}

/** Reads along with all calls, as the recorder does. */
export class SeenCalls implements CallObserver {
  readonly faults: string[] = []
  readonly #calls = new Map<Call, Seen>()
  readonly #byId = new Map<string, Seen>()

  started(call: Call): void {
    if (this.#calls.has(call)) this.faults.push(`${call.path} has begun twice`)
    const seen = {request: '', response: '', record: undefined}
    this.#calls.set(call, seen)
    const [id = ''] = /r\d+/.exec(call.path) ?? []
    // bytes before the end of a connection, without a whole line, have no id
    if (id !== '' && this.#byId.has(id)) this.faults.push(`${id} is seen twice`)
    this.#byId.set(id, seen)
  }

  held(): void {}
  admitted(): void {}
  replied(): void {}

  responded(call: Call, _head: HeadText, body = ''): void {
    this.text(call, 'response', body)
  }

  bytes(call: Call, direction: Direction, buffer: Buffer, from: number, to: number): void {
    this.text(call, direction, buffer.toString('latin1', from, to))
  }

  text(call: Call, direction: Direction, text: string): void {
    const seen = this.#calls.get(call)
    if (seen === undefined || seen.record !== undefined) return void this.faults.push(`${call.path}: bytes of no call`)
    seen[direction] += text
  }

  ended(record: CallRecord): void {
    const {call} = record
    const seen = this.#calls.get(call)
    if (seen === undefined || seen.record !== undefined)
      this.faults.push(`${call.path} has ended twice, or has not begun`)
    else seen.record = record
  }

  /** What is wrong with what was seen of a call that was answered; undefined: nothing. */
  faultOf({id, kind, method, bytes, harm}: Asked): string | undefined {
    const seen = this.#byId.get(id)
    const {record} = seen ?? {}
    if (seen === undefined || record === undefined) return `${id} (${method} ${kind}) was not seen to end`
    if (harm !== '' || kind === 'mute' || kind === 'cut' || kind === 'websocket') return undefined
    const body = method === 'HEAD' || kind === 'none' || kind === 'same' ? '' : answerTo(id, kind)
    const is = `${id} (${method} ${kind} ${bytes})`
    if (seen.response !== body || record.responseBytes !== body.length)
      return `${is}: ${seen.response.length} and ${record.responseBytes} bytes of ${body.length} of its answer were seen`
    if (record.failure !== '') return `${is} was seen to fail: ${record.failure}`
    // an early answer leaves out the rest
    if (kind === 'early') return undefined
    if (seen.request !== bodyOf(id, bytes) || record.requestBytes !== bytes)
      return `${is}: ${seen.request.length} and ${record.requestBytes} bytes of ${bytes} were seen`
    return undefined
  }
}
