import t from 'tap'
import {PIECE} from '../../../../../src/observe/telemetry/recorder/byte-tape.ts'
import {editedCall} from '../../../../../src/observe/replay/edit.ts'
import {contentOf, methodPath} from '../../../../../src/observe/telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'

const piece = (kind: (typeof PIECE)[keyof typeof PIECE], text: string) => ({kind, bytes: Buffer.from(text)})

t.test('the rest of a body whose beginning was overwritten is not shown: it may be that of a secret', async t => {
  const rest = piece(PIECE.requestBody, 'cr3t","n":1}')
  const answer = [piece(PIECE.responseHead, 'HTTP/1.1 200 OK\r\n\r\n'), piece(PIECE.responseBody, 'yes')]
  const {request, response, isKept} = contentOf({pieces: [rest, ...answer]})
  t.equal(request.body.toString(), '')
  t.equal(response.body.toString(), 'yes')
  t.ok(isKept)
  const head = piece(PIECE.requestHead, 'POST /x HTTP/1.1\r\n\r\n')
  t.equal(
    contentOf({pieces: [head, piece(PIECE.requestBody, '{"a":"'), rest]}).request.body.toString(),
    '{"a":"cr3t","n":1}'
  )
})

t.test('an address of the callee is no part of the path, though apps have paths that look so', async t => {
  for (const [target, callee, path] of [
    ['/v1.0/invoke/stock/method/items?id=7', 'stock', '/items?id=7'],
    ['/v1.0/invoke/stock/method/services/stock', 'stock', '/services/stock'],
    ['/v1.0/actors/Cart/17/method/add', '', '/actors/Cart/17/method/add'],
    ['/services/scales/items', 'scales', '/items'],
    ['/services/scales_1.0.0/items', 'scales', '/items'],
    ['/services/scales_2.0.0-b.1/items', 'scales@2.0.0-b.1', '/items'],
    ['/services/big%5Fscales', 'big_scales', '/'],
    ['/services/7/items', 'stock', '/services/7/items'],
    ['/services/stocks?page=2', 'stock', '/services/stocks?page=2'],
    ['/services/7', '', '/services/7']
  ] as const)
    t.equal(methodPath(target, callee), path, target)
})

/** The target of a call that is sent with another path. */
const sent = (target: string, path: string): string => {
  const head = piece(PIECE.requestHead, `GET ${target} HTTP/1.1\r\n\r\n`)
  const call = {edgeOf: {callee: 'stock'}, method: 'GET', requestBytes: 0, pieces: [head]}
  return contentOf(editedCall(call as unknown as RecordedCall, {path})).target
}

t.test('another path of a call is sent where the former one was', async t => {
  t.equal(sent('/services/7/items', '/services/8/items'), '/services/8/items')
  t.equal(sent('/services/stock/items?id=7', '/parts'), '/services/stock/parts')
  t.equal(sent('/v1.0/invoke/stock/method/items', '/services/8'), '/v1.0/invoke/stock/method/services/8')
  t.equal(sent('/v1.0/invoke/stock/method', '/parts'), '/v1.0/invoke/stock/method/parts')
})
