import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {respClient} from '../rig/resp.ts'
import {IN_NODE, openRig} from '../rig/rig.ts'

t.test('what does not fit into memory is refused, and ends nothing', async t => {
  const rig = await openRig(t, {program: IN_NODE})
  const port = await freePort()
  const env = {PILLION_REDIS: 'memory', NODE_OPTIONS: '--max-old-space-size=200'}
  const redis = rig.pillion(['redis', port.toString()], {env})
  await redis.stdout.line(/Redis listens/)
  const client = await respClient(port)
  const refusal = "-OOM command not allowed when used memory > 'maxmemory'."
  let answer = '+OK'
  for (let key = 0; answer === '+OK'; key++) answer = await client.call('SET', key.toString(), 'x'.repeat(1_000_000))
  t.equal(answer, refusal)
  t.equal(await client.call('SETRANGE', 'k', '500000000', 'x'), refusal)
  t.equal(await client.call('STRLEN', '0'), ':1000000')
  t.equal(await client.call('FLUSHALL'), '+OK')
  while ((await client.call('SET', 'k', 'x')) === refusal);
  t.equal(await client.call('SETRANGE', 'k', '500000000', 'x'), refusal, 'one alone')
  t.equal(await client.call('GET', 'k'), '"x"')

  const members = Array.from({length: 100_000}, (_, member) => member.toString())
  const growing: Readonly<Record<string, (key: string) => readonly string[]>> = {
    increased: key => ['INCR', 'x'.repeat(1_000_000) + key],
    copied: key => ['COPY', 'set', key],
    united: key => ['SUNIONSTORE', key, 'set'],
    grouped: key => ['XGROUP', 'CREATE', 'x'.repeat(1_000_000) + key, 'group', '$', 'MKSTREAM']
  }
  for (const [how, commandOf] of Object.entries(growing)) {
    await client.call('FLUSHALL')
    while ((await client.call('SADD', 'set', ...members)) === refusal);
    let count = 0
    while ((await client.call(...commandOf(count.toString()))) !== refusal) count++
    t.ok(count > 1, how)
  }
  t.equal(await client.call('XGROUP', 'DESTROY', `${'x'.repeat(1_000_000)}0`, 'group'), ':1', 'nothing grows by that')
  client.close()
  t.match(await redis.end(), {code: 0})
})
