import {Socket} from 'node:net'
import t from 'tap'
import {isOwnPeer, ownerIn} from '../../../src/daeploy/peer.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:13D8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
   1: 0100007F:9C40 0100007F:13D8 01 00000000:00000000 00:00000000 00000000  1000        0 12 1
   2: 0100007F:13D8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 13 1`

t.test("the caller's socket tells whose it is, and ours of the same connection does not", async t => {
  t.equal(ownerIn(TABLE, {from: 40_000, to: 5080}), 1000)
  t.equal(ownerIn(TABLE, {from: 5080, to: 40_000}), 0)
  t.equal(ownerIn(TABLE, {from: 40_001, to: 5080}), undefined)
})

t.test('who comes from another machine is no peer of ours', async t => {
  t.equal(isOwnPeer({remoteAddress: '192.168.1.7', remotePort: 40_000, localPort: 5080}), false)
  t.equal(isOwnPeer(new Socket()), false)
})
