import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {CALLEE} from './callee.ts'

t.test('a filter that is none, and a call that is not there, say what to write', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  const refused = async (...words: readonly string[]): Promise<string> => {
    const {code, stdout, stderr} = await rig.run(['calls', ...words])
    t.equal(code, 1)
    t.equal(stdout, '')
    return stderr
  }
  t.match(await refused('form:shop'), /^❌ {2}a filter has no field "form": did you mean from:\?\nKnown: from: /)
  t.match(await refused('is:fail'), /did you mean is:failed\?/)
  t.match(await refused('status:9999'), /names no status\nWrite status:503/)
  t.match(await refused('slower:soon'), /names no duration\nWrite slower:250ms/)
  t.match(await refused('since:soon'), /names no time\nWrite since:2026/)
  t.match(await refused('to:'), /the filter to: lacks a value/)
  t.match(await refused('7'), /there is no call 7: the latest call is number 0\npillion calls lists them/)
  t.match(await refused('-o', 'yaml'), /unknown output format "yaml"/)
})

t.test('as many of the latest calls are shown as are asked for, also more than one answer has', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sleep', '600']}])
  const {http} = await rig.pillion(['run', '-f', '.']).ports('shop')
  const call = async (): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/nobody/method/x`)).text()
  for (let n = 0; n < 11; n++) await Promise.all(Array.from({length: 100}, call))
  const {stdout} = await rig.run(['calls', '-n', '1050', '-o', 'ndjson'])
  const numbers = stdout
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as Api.Call).number)
  t.same(
    numbers,
    Array.from({length: 1050}, (_, n) => n + 51)
  )
})

t.test('record in an edited template counts at once, for apps that have called each other, too', async t => {
  const rig = await openRig(t)
  await rig.write({'callee.mjs': CALLEE})
  const shop = {appID: 'shop', appDirPath: '.', command: ['sleep', '600']}
  const callee = {appDirPath: '.', autoPort: true, command: ['node', 'callee.mjs']}
  const bank = {...callee, appID: 'bank'}
  const save = async (stock?: object): Promise<void> => {
    const apps = [shop, bank, ...(stock === undefined ? [] : [{...callee, appID: 'stock', ...stock}])]
    await rig.write({'dapr.yaml': JSON.stringify({version: 1, apps})})
  }
  await save({})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const {http} = await run.ports('shop')
  await run.ports('stock')
  const call = async (id = 'stock'): Promise<void> => {
    const headers = {'x-customer': 'Ada'}
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/${id}/method/x`, {headers})).text()
  }
  const har = async (): Promise<string> => (await rig.run(['calls', 'to:stock', '-o', 'har'])).stdout
  const listed = async (): Promise<number> => (await har()).split('startedDateTime').length - 1
  await call()
  t.equal(await listed(), 1)
  await save({record: false})
  await run.waitForLine('edit of the template: changed stock')
  await call()
  t.equal(await listed(), 1)
  await save({record: {mask: ['x-customer']}})
  await run.waitForLine('edit of the template: changed stock', {nth: 2})
  await call()
  t.equal(await listed(), 2)
  t.notMatch(await har(), /Ada/)
  await save()
  await run.waitForLine('edit of the template: removed stock')
  t.equal(await listed(), 2)
  t.notMatch(await har(), /Ada/, 'the app has left, its calls are kept')
  await call('bank')
  const [, number = ''] = /^ *(\d+) .* bank /m.exec((await rig.run(['calls', 'to:bank'])).stdout) ?? []
  const {stdout} = await rig.run(['replay', number])
  t.match(stdout, /x-customer: <masked, \d+ characters> → <masked/)
  t.notMatch(stdout, /Ada/)
})
