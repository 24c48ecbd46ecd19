import t from 'tap'
import {apiError, channelError, invokeError, plainError} from '../../../../../src/dapr/sidecar/http/errors.ts'

t.test("errors have Dapr's bodies", async t => {
  t.strictSame(apiError(400, 'ERR_X', 'a <b>'), {
    status: 400,
    type: 'application/json',
    body: '{"errorCode":"ERR_X","message":"a \\u003cb\\u003e"}',
    lines: ''
  })
  t.equal(
    apiError(500, 'ERR_X', 'm', {reason: 'R', metadata: {b: '2', a: '1'}}).body,
    '{"errorCode":"ERR_X","message":"m","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","metadata":{"a":"1","b":"2"},"reason":"R"}]}'
  )
  t.equal(
    invokeError('b', 'why').body,
    '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: b, err: why"}'
  )
  t.match(plainError(401, 'no'), {body: 'no\n', type: 'text/plain; charset=utf-8'})
})

t.test('a failed connection is told as Go tells it', async t => {
  const failure = {scheme: 'http' as const, method: 'POST', authority: '127.0.0.1:1', path: '/x?q', why: 'EOF'}
  t.equal(channelError({...failure, isLocal: true}), 'Post "http://127.0.0.1:1/x?q": EOF')
  t.equal(
    channelError({...failure, isLocal: false}),
    'rpc error: code = Internal desc = error invoking app channel: Post "http://127.0.0.1:1/x?q": EOF'
  )
})
