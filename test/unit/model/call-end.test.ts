import t from 'tap'
import {callEndText, shownCause} from '../../../src/model/call-end.ts'

t.test('how a call ended has one spelling', async t => {
  t.equal(callEndText({status: 404, marks: []}), '404')
  t.equal(callEndText({status: 0, marks: []}), 'no response')
  t.equal(callEndText({status: 0, marks: ['grpc']}), 'gRPC 0 OK')
  t.equal(callEndText({status: 1, marks: ['grpc']}), 'gRPC 1 CANCELLED')
  t.equal(callEndText({status: 5, marks: ['grpc', 'own']}), 'gRPC 5 NOT_FOUND')
  t.equal(callEndText({status: 99, marks: ['grpc']}), 'gRPC 99 CODE(99)')
})

t.test('the cause of a failure is without the error of Go behind it', async t => {
  const cause = '"payments" exited with code 1 at 00:42:49 (reading \'cents\')'
  const dial = 'Post "http://127.0.0.1:31203/charge": dial tcp 127.0.0.1:31203: connect: connection refused'
  t.equal(shownCause(`${cause} (${dial})`), cause)
  t.equal(shownCause(`${cause} (rpc error: code = Internal desc = error invoking app channel: ${dial})`), cause)
  t.equal(shownCause(dial), dial)
  t.equal(shownCause('socket hang up (ECONNRESET)'), 'socket hang up (ECONNRESET)')
})
