import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {promisify} from 'node:util'
import t from 'tap'
import {openTestSidecar} from '../integration/dapr/sidecar/rig.ts'

t.setTimeout(90_000)

const ATTACKER = join(import.meta.dirname, '../rig/reset-attacker.ts')

t.test('rapid resets from connection after connection never end the process, and each is cut', async t => {
  const {port} = await openTestSidecar(t)
  const {stdout} = await promisify(execFile)(process.execPath, [ATTACKER, port.toString(), '10000'])
  t.ok(Number(stdout) >= 8, `${stdout.trim()} connections were cut`)
  t.equal((await fetch(`http://127.0.0.1:${port}/v1.0/healthz`)).status, 204)
})
