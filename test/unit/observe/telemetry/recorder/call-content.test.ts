import t from 'tap'
import {PIECE} from '../../../../../src/observe/telemetry/recorder/byte-tape.ts'
import {contentOf} from '../../../../../src/observe/telemetry/recorder/call-content.ts'

const piece = (kind: (typeof PIECE)[keyof typeof PIECE], text: string) => ({kind, bytes: Buffer.from(text)})

t.test('the rest of a body whose beginning was overwritten is not shown: it may be that of a secret', t => {
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
  t.end()
})
