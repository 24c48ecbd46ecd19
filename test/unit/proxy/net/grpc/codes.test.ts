import t from 'tap'
import {codeOfReset} from '../../../../../src/proxy/net/grpc/status.ts'

t.test('a stream that is reset has the code that Go’s gRPC gives it', async t => {
  const codes = Array.from({length: 15}, (_, code) => codeOfReset(code))
  t.strictSame(codes, [13, 13, 13, 8, 13, 13, 13, 14, 1, 13, 13, 8, 7, 13, 2])
})
