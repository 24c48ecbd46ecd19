import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {installDaprd, skipWithoutDaprd} from '../rig/daprd.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

const SUBSCRIBER = join(import.meta.dirname, '../fixtures/apps/subscriber.mjs')
const MESSAGES = 400
const RELOADS = 2

t.test('daprd’s broker loses and doubles none over reloads', {skip: skipWithoutDaprd || skipWithoutRedis}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  const {port: redis} = await realRedis(t)
  const counts = join(rig.home, 'counts')
  await rig.write({
    'order/version.txt': '0',
    'resources/bus.yaml': component('bus', 'pubsub.redis', {redisHost: `localhost:${redis}`}),
    '../home/counts': ''
  })
  await rig.template([
    {
      appID: 'order',
      autoPort: true,
      watch: true,
      command: [process.execPath, SUBSCRIBER],
      env: {COUNT_FILE: counts, PUBSUB: 'bus'},
      resourcesPath: '../resources'
    }
  ])
  const run = rig.pillion(['run', '-f', '.'], {env: {PILLION_DAPRD: 'always'}})
  const {http: port} = await run.ports('order')
  await run.waitForLine('Writing log files')
  const url = `http://127.0.0.1:${port}/v1.0/publish/bus/orders`
  const publish = async (n: number): Promise<void> => {
    const headers = {'content-type': 'application/json'}
    const response = await fetch(url, {method: 'POST', headers, body: n.toString()})
    if (response.status !== 204) throw new Error(await response.text())
  }
  const reload = async (): Promise<void> => {
    for (let save = 1; save <= RELOADS; save++) {
      await rig.write({'order/version.txt': save.toString()})
      await run.waitForLine('order: reloaded', {nth: save})
    }
  }
  const reloading = reload()
  for (let n = 0; n < MESSAGES; n++) await publish(n)
  await reloading
  const delivered = (): readonly number[] => readFileSync(counts, 'utf8').trim().split('\n').map(Number)
  while (delivered().length < MESSAGES) await pause(20)
  t.same(
    delivered().toSorted((a, b) => a - b),
    Array.from({length: MESSAGES}, (_, n) => n)
  )
})
