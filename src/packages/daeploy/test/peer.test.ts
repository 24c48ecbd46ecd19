import {execFile} from 'node:child_process'
import {Socket} from 'node:net'
import {promisify} from 'node:util'
import t from 'tap'
import {isOwnPeer} from '../services/tokens.ts'
import {rowOfPeer, type Ends} from '../../../platform/proc-net.ts'

const ownerIn = (tables: string, ends: Ends): number | undefined => rowOfPeer(tables, ends)?.uid

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:13D8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
   1: 0200007F:9C40 0100007F:13D8 01 00000000:00000000 00:00000000 00000000     7        0 12 1
   2: 0100007F:9C40 0100007F:13D8 01 00000000:00000000 00:00000000 00000000  1000        0 12 1
   3: 0100007F:13D8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 13 1
   0: 00000000000000000000000001000000:9C41 00000000000000000000000001000000:13D8 01 00000000:00000000 00:00000000 00000000  1001 0 14 1
   1: 0000000000000000FFFF00000100007F:9C42 0000000000000000FFFF00000100007F:13D8 01 00000000:00000000 00:00000000 00000000  1002 0 15 1
   5: 0100007F:9C44 0100007F:13D8 05 00000000:00000000 03:000017B5 00000000     0        0 0 3`

const ends = (remotePort: number, address = '127.0.0.1'): Ends => ({
  remoteAddress: address,
  remotePort,
  localAddress: address,
  localPort: 5080
})

t.test("the caller's socket tells whose it is: the one of this very connection", async t => {
  t.equal(ownerIn(TABLE, ends(40_000)), 1000)
  t.equal(ownerIn(TABLE, {...ends(40_000), remoteAddress: '127.0.0.2'}), 7)
  t.equal(ownerIn(TABLE, ends(40_001, '::1')), 1001)
  t.equal(ownerIn(TABLE, ends(40_002)), 1002, 'IPv4 within IPv6')
  t.equal(ownerIn(TABLE, ends(40_003)), undefined)
  t.equal(ownerIn(TABLE, {...ends(40_000), localPort: 5081}), undefined)
})

t.test("one that was closed has no owner: the kernel keeps it as if it were root's", async t => {
  t.equal(ownerIn(TABLE, ends(40_004)), undefined)
})

t.test('who comes from another machine is no peer of ours', async t => {
  t.equal(isOwnPeer({...ends(40_000), remoteAddress: '192.168.1.7'}), false)
  t.equal(isOwnPeer(new Socket()), false)
})

t.test('while no descriptor is left, every peer is refused', async t => {
  const script = `
    import {openSync} from 'node:fs'
    import {isOwnPeer} from '${import.meta.resolve('../services/tokens.ts')}'
    const ends = ${JSON.stringify(ends(40_000))}
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    process.exit(isOwnPeer(ends) ? 1 : 0)`
  const args = ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, script]
  await t.resolves(promisify(execFile)('sh', args))
})
