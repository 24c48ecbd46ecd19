import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {managerOf} from '../rig/manager.ts'
import {openRig} from '../rig/rig.ts'
import {Numbered} from '../e2e/numbered.ts'

const COUNTED = join(import.meta.dirname, '../fixtures/apps/counted.mjs')
const VERSIONS = ['1.0.0', '2.0.0'] as const
const TIMES = 2

t.test('another version becomes main under calls: none is lost, and each version gets each call once', async t => {
  const rig = await openRig(t)
  const countsOf = (version: string): string => join(rig.home, `counts-${version}`)
  for (const version of VERSIONS) await rig.write({[`${version}/version.txt`]: version})
  await rig.template(
    VERSIONS.map(version => ({
      appID: 'order',
      version,
      appDirPath: version,
      autoPort: true,
      command: [process.execPath, COUNTED],
      env: {COUNT_FILE: countsOf(version), BOOT_MS: '0'}
    }))
  )
  const manager = await managerOf(rig.pillion(['run', '-f', '.']))
  await fetch(`${manager}/services/order/items?n=first`)
  const traffic = {port: Number(new URL(manager).port), path: '/services/order/items', perSecond: 200, bytes: 4000}
  const calls = new Numbered({...traffic, method: 'POST', keepsAlive: true})
  for (let time = 1; time <= TIMES; time++) {
    const version = VERSIONS[time % 2] ?? ''
    t.match(await rig.run(['assign', 'order', version]), {
      code: 0,
      stdout: `Changed main version to order ${version}\n`
    })
  }
  const {sent, failed} = await calls.end()
  t.same(failed, [])
  t.ok(sent > TIMES, `${sent} calls`)
  for (const version of VERSIONS) {
    const seen = (): readonly string[] => readFileSync(countsOf(version), 'utf8').match(/^\d+ POST$/gm) ?? []
    while (seen().length < sent) await pause(20) // a copy may still be on its way
    t.equal(new Set(seen()).size, sent, `${version} got all`)
    t.equal(seen().length, sent, `${version} got none twice`)
  }
})
