import type {CallJournal} from '../../../proxy/net/call-journal.ts'
import type {ActorAnswer, ActorWork} from '../../../work/actor/actor-host.ts'

const REASONS: Readonly<Record<number, string>> = {200: 'OK', 404: 'Not Found', 500: 'Internal Server Error'}

/** The app gets it by its stream: the journal has it from now on. */
export function turnSent(journal: CallJournal | undefined, work: ActorWork): void {
  if (journal === undefined) return
  const {call, observer} = journal
  journal.attempts = 1
  journal.admitted(call.caller === call.callee, undefined, undefined)
  if (work.kind !== 'method') return
  journal.requestBytes = work.body.length
  observer?.bytes(call, 'request', work.body, 0, work.body.length)
}

/** The app has answered by its stream, or will not: the record ends. Its status is the one that HTTP has for it. */
export function turnOver(journal: CallJournal | undefined, answer: ActorAnswer): void {
  if (journal === undefined) return
  const {call, observer} = journal
  journal.firstByteAt = answer.kind === 'lost' ? 0 : performance.now()
  journal.status = answer.kind === 'lost' ? 0 : answer.kind === 'done' ? 200 : answer.kind === 'unknown' ? 404 : 500
  if (answer.kind === 'lost') journal.failure = answer.why
  else {
    const lines = answer.kind === 'done' ? answer.lines : ''
    const body = answer.kind === 'done' ? answer.body : Buffer.from(answer.kind === 'failed' ? answer.text : '')
    const text = `HTTP/1.1 ${journal.status} ${REASONS[journal.status] ?? ''}\r\n${lines}\r\n`
    journal.responseBytes = body.length
    observer?.responded(call, {text, size: text.length})
    observer?.bytes(call, 'response', body, 0, body.length)
  }
  journal.ended()
}
