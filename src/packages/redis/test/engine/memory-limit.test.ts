import v8 from 'node:v8'
import t from 'tap'
import {DELETE_SCRIPT, SAVE_SCRIPT, UNLOCK_SCRIPT} from '../../dapr-scripts.ts'
import {RedisEngine} from '../../engine/engine.ts'

t.test('what frees memory is not refused where memory is full, also by a script', async t => {
  const engine = new RedisEngine()
  const session = engine.open()
  const run = (...args: string[]): unknown => engine.run(session, args)
  const large = 'x'.repeat(9_000_000)
  run('EVAL', SAVE_SCRIPT, '1', 'key', '0', 'data', '2')
  run('SET', 'lock', 'me')
  const {getHeapStatistics: real} = v8
  t.teardown(() => (v8.getHeapStatistics = real))
  v8.getHeapStatistics = () => ({...real(), used_heap_size: real().heap_size_limit})
  t.match(run('SET', 'large', large), {message: /^OOM/})
  t.match(run('EVAL', SAVE_SCRIPT, '1', 'other', '0', 'data', '2'), {message: /^OOM/})
  t.equal(run('EXISTS', 'other'), 0)
  t.equal(run('EVAL', DELETE_SCRIPT, '1', 'key', '0'), 1)
  t.equal(run('EVAL', UNLOCK_SCRIPT, '1', 'lock', 'me'), 1)
  t.match(run('MULTI'), {text: 'OK'})
  t.match(run('EVAL', DELETE_SCRIPT, '1', 'key', '0'), {text: 'QUEUED'})
  t.same(run('EXEC'), [0])
})
