import {renameSync, utimesSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a save of the same bytes starts an app that has crashed, and nothing while it runs', async t => {
  const rig = await openRig(t)
  // Once its files were hashed, an app that writes the same bytes before its exit is not started by that.
  const code = `const fs = require('node:fs')
if (fs.existsSync('../hashed')) fs.writeFileSync('own.txt', 'own')
console.log('started')
process.exitCode = 3`
  await rig.template([{appID: 'a', command: ['node', 'main.js'], watch: true}])
  await rig.write({'a/main.js': code, 'a/own.txt': 'own'})
  const run = rig.pillion(['up'])
  const file = join(rig.folder, 'a/main.js')
  const ways: readonly (readonly [string, () => void])[] = [
    ['touch', () => utimesSync(file, new Date(), new Date())],
    ['the same bytes again', () => writeFileSync(file, code)],
    [
      'an atomic save',
      () => {
        writeFileSync(`${file}.tmp`, code)
        renameSync(`${file}.tmp`, file)
      }
    ]
  ]
  for (const [index, [name, save]] of ways.entries()) {
    await rig.until(['ps'], 'exited 3')
    await rig.write({hashed: ''})
    save()
    await run.waitForLine('== APP - a == started', {nth: index + 2})
    t.pass(name)
  }
  await rig.until(['ps'], 'exited 3')
  await rig.write({'a/main.js': "console.log('well'); setInterval(() => {}, 1000)"})
  await run.waitForLine('== APP - a == well')
  utimesSync(file, new Date(), new Date())
  await rig.write({'a/main.js': "console.log('other'); setInterval(() => {}, 1000)"})
  await run.waitForLine('== APP - a == other')
  t.equal(run.stdout.lines.filter(line => line.endsWith('== well')).length, 1)
  t.equal(run.stdout.lines.filter(line => line.endsWith('== started')).length, 4, 'and none by its own write')
})
