import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t from 'tap'
import {SentMessages} from '../../../../../src/proxy/net/grpc/sent-messages.ts'

const MIB = 1 << 20
const READ_BYTES = 65_536

t.test('small messages of a call do not keep all that was read with them', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  for (const hasStream of [false, true]) {
    const messages = new SentMessages(0)
    const before = heap()
    for (let read = 0; read < 1000; read++)
      messages.add(Buffer.alloc(READ_BYTES, 97).toString('latin1').slice(100, 120), hasStream)
    t.ok(heap() - before < 8 * MIB, hasStream ? 'passed on' : 'waiting')
    messages.drop()
  }
})
