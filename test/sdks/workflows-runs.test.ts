import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig} from '../rig/rig.ts'
import {daprForPython, installed} from './installed.ts'

t.setTimeout(300_000)

const ORDER = join(import.meta.dirname, '../fixtures/sdks/far_order.py')

async function killed(run: Program): Promise<void> {
  run.signal('SIGKILL')
  await run.exited
}

t.test(
  'an activity and a child of an app of another run, through kill -9 of either; both end with the workflow, and go with it',
  async t => {
    const folder = await installed(t, daprForPython)
    if (folder === undefined) return
    const rig = await openRig(t)
    const app = (appID: string): string =>
      JSON.stringify({
        version: 1,
        apps: [
          {
            appID,
            appDirPath: '.',
            command: ['python3', ORDER],
            env: {PYTHONPATH: folder, NAME: appID, FOLDER: rig.folder}
          }
        ]
      })
    await rig.write({'shop/dapr.yaml': app('shop'), 'bank/dapr.yaml': app('bank')})
    const begun = (name: string): Program => rig.pillion(['run', '-f', name])
    const waits = /activity 'charge' waits for app 'bank', which neither this template nor another run has/
    let shop = begun('shop')
    await shop.waitForLine('READY', {limitMs: 60_000})
    await rig.logged('shop', waits)
    let bank = begun('bank')
    await bank.waitForLine('BEGUN charge', {limitMs: 60_000})
    // the run that asks: the next one asks again
    await killed(shop)
    shop = begun('shop')
    await shop.waitForLine('READY', {limitMs: 60_000})
    // the run that is asked, in the middle of the activity
    await killed(bank)
    bank = begun('bank')
    await bank.waitForLine('BEGUN charge', {limitMs: 60_000})
    writeFileSync(join(rig.folder, 'charged'), '')
    await rig.until(['workflow', 'list', '--run-file', 'bank', '-o', 'ids'], 'payout-o-1')
    // the child goes on with its own run
    await killed(bank)
    bank = begun('bank')
    await bank.waitForLine('READY', {limitMs: 60_000})
    await rig.until(['workflow', 'list', '--run-file', 'bank', '-o', 'ids'], 'payout-o-2')
    t.match(await rig.run(['workflow', 'raise-event', 'payout-o-1/approved', '--run-file', 'bank']), {code: 0})
    await shop.waitForLine('ENDED COMPLETED 42', {limitMs: 60_000})
    t.match(await rig.run(['workflow', 'terminate', 'o-2', '--run-file', 'shop']), {code: 0})
    await rig.until(
      ['workflow', 'list', '--run-file', 'bank', '--filter-status', 'TERMINATED', '-o', 'wide'],
      'payout-o-2'
    )
    const ids = async (): Promise<string> =>
      (await rig.run(['workflow', 'list', '--run-file', 'bank', '-o', 'ids'])).stdout.trim()
    await killed(bank)
    t.match(await rig.run(['workflow', 'purge', 'o-2', '--run-file', 'shop']), {
      code: 1,
      stderr: /failed to purge child workflow "payout-o-2": no run has its app 'bank' now/
    })
    bank = begun('bank')
    await bank.waitForLine('READY', {limitMs: 60_000})
    t.match(await rig.run(['workflow', 'purge', 'o-2', '--run-file', 'shop']), {
      code: 0,
      stdout: /Purging 1 workflow instance\(s\), with 1 that they have started/
    })
    t.equal(await ids(), 'payout-o-1', 'the child of the other one stays')
    t.match(await rig.run(['workflow', 'purge', '--all', '--run-file', 'shop']), {code: 0})
    t.equal(await ids(), '')
  }
)
