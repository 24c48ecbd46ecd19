import t from 'tap'
import {reasonFirst} from '../../../../src/observe/api/call-view.ts'

t.test('our reason stands before the words of Dapr, where no table cuts it off', async t => {
  const table: Readonly<Record<string, string>> = {
    'dial tcp 127.0.0.1:7: connect: connection refused ("a" exited with code 3: Error: no (3))':
      '"a" exited with code 3: Error: no (3) (dial tcp 127.0.0.1:7: connect: connection refused)',
    'couldn\'t find service: a [stopped by "pillion stop"]': 'stopped by "pillion stop" (couldn\'t find service: a)',
    EOF: 'EOF',
    'context deadline exceeded': 'context deadline exceeded',
    '': '',
    '(odd)': '(odd)',
    'http2: stream closed (by peer) early': 'http2: stream closed (by peer) early'
  }
  for (const [failure, shown] of Object.entries(table)) t.equal(reasonFirst(failure), shown)
  const odd = `no${' ('.repeat(500_000)}`
  t.equal(reasonFirst(odd), odd, 'what an app says takes no longer than it is long')
})
