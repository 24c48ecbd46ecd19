import t from 'tap'
import {slotKey, slotOf} from '../slots.ts'

t.test('the slot of a key', async t => {
  // the value of the check in Redis' Cluster specification
  t.equal(slotOf('123456789'), 0x31c3)
  t.equal(slotOf('foo'), 12_182)
  t.equal(slotOf('{user1000}.following'), slotOf('user1000'))
  t.equal(slotOf('a{user1000}{other}'), slotOf('user1000'))
  t.not(slotOf('foo{}bar'), slotOf(''))
  t.equal(slotOf(Buffer.from('foo')), 12_182)
})

t.test('the key of a command', async t => {
  t.equal(slotKey(['HGETALL', 'k']), 'k')
  t.equal(slotKey(['EVAL', 'script', '1', 'k', '0']), 'k')
  t.equal(slotKey(['XGROUP', 'CREATE', 'k', 'g', '0']), 'k')
  t.equal(slotKey(['XREADGROUP', 'GROUP', 'STREAM', 'c', 'COUNT', '1', 'BLOCK', '0', 'STREAMS', 'k', '>']), 'k')
  t.equal(slotKey(['PING']), undefined)
})
