import t from 'tap'
import {reloadText} from '../../../../src/clients/cli/reload-words.ts'

t.test('a reload is told in one line', async t => {
  const reloaded = {id: 'order', number: 1, files: [], tookMs: 411.6, held: 31, longestMs: 398.2, lost: 0}
  t.equal(reloadText(reloaded), 'order: reloaded in 412 ms, 31 requests held (longest 398 ms), 0 lost')
  t.equal(reloadText({...reloaded, held: 1}), 'order: reloaded in 412 ms, 1 request held (longest 398 ms), 0 lost')
  t.equal(reloadText({...reloaded, held: 0, longestMs: 0}), 'order: reloaded in 412 ms, 0 requests held, 0 lost')
  t.match(reloadText({...reloaded, files: ['src/app.ts']}), 'order: reloaded in 412 ms (src/app.ts), 31 requests held')
  t.match(reloadText({...reloaded, files: ['a', 'b', 'c']}), 'order: reloaded in 412 ms (a and 2 more), 31 requests')
})
