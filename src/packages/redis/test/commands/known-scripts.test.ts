import t from 'tap'
import {programOf} from '../../commands/scripts.ts'
import {DELETE_SCRIPT, SAVE_SCRIPT, UNLOCK_SCRIPT} from '../../dapr-scripts.ts'

t.test('a script is recognised whatever its spaces, quotes, capitals and names are', async t => {
  const unlock =
    'if redis.call("get",KEYS[1]) == ARGV[1]\nthen\n    return redis.call("del",KEYS[1])\nelse\n    return 0\nend'
  const program = programOf(unlock)
  t.type(program, 'function')
  t.equal(programOf(unlock.replaceAll('"', "'").replaceAll('\n', '  ').replace('get', 'GET')), program)
  t.equal(programOf(`-- releases the lock\n${unlock};`), program)
  t.equal(programOf(unlock.replace('return 0', 'return 1')), undefined)
  t.equal(programOf(''), undefined)
  t.equal(programOf('x'.repeat(100_000)), undefined)
})

t.test('our own scripts are recognised by their text', async t => {
  const programs = [SAVE_SCRIPT, DELETE_SCRIPT, UNLOCK_SCRIPT].map(programOf)
  t.equal(new Set(programs).size, 3)
  t.notOk(programs.includes(undefined))
})
