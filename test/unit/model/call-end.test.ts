import t from 'tap'
import {callEndText} from '../../../src/model/call-end.ts'

t.test('how a call ended has one spelling', t => {
  t.equal(callEndText({status: 404, marks: []}), '404')
  t.equal(callEndText({status: 0, marks: []}), 'no response')
  t.equal(callEndText({status: 0, marks: ['grpc']}), 'gRPC 0 OK')
  t.equal(callEndText({status: 1, marks: ['grpc']}), 'gRPC 1 CANCELLED')
  t.equal(callEndText({status: 5, marks: ['grpc', 'own']}), 'gRPC 5 NOT_FOUND')
  t.equal(callEndText({status: 99, marks: ['grpc']}), 'gRPC 99 CODE(99)')
  t.end()
})
