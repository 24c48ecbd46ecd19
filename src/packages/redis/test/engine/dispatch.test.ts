import t from 'tap'
import {reads} from '../../engine/command.ts'
import {invokeCommand} from '../../engine/dispatch.ts'
import {RedisEngine} from '../../engine/engine.ts'
import {RedisError} from '../../engine/result.ts'

t.test('whatever a command throws is an error for its client', async t => {
  const engine = new RedisEngine()
  const thrown = {
    name: 'odd',
    ...reads(1, () => {
      throw new RangeError('Invalid string length')
    })
  }
  t.same(invokeCommand(engine.open(), thrown, ['odd']), new RedisError('ERR Invalid string length'))
  engine.close()
})
