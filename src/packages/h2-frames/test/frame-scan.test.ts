import t from 'tap'
import {costOf, RESET_COST} from '../frame-scan.ts'
import {frameHead, HEADERS, PING, RST_STREAM} from '../frames.ts'
import {MAX_STREAMS, PREFACE} from '../greeting.ts'

const frames = (type: number, count: number, payload = ''): string =>
  (frameHead(payload.length, type, 0, 1) + payload).repeat(count)

const cost = (text: string): number => costOf(Buffer.from(PREFACE + text, 'latin1'))

t.test('streams that a connection may have cost nothing; those beyond, and what else carries nothing, do', t => {
  t.equal(cost(frames(HEADERS, MAX_STREAMS, 'fields')), 0)
  t.equal(cost(frames(HEADERS, MAX_STREAMS + 400, 'fields')), 400)
  t.equal(cost((frames(HEADERS, 1, 'fields') + frames(RST_STREAM, 1, 'code')).repeat(20)), 20 * RESET_COST)
  t.equal(cost(frames(PING, 3, '12345678')), 3)
  t.end()
})
