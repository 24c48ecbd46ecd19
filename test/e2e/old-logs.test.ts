import {mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const named = (id: string, kind: string, number: number): string =>
  `${id}_${kind}_202601010000${number.toString().padStart(2, '0')}.log`

t.test('of old log files the newest of each kind stay, and what has no name of ours', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', logs: {keep: 3}}, {appID: 'stock'}, {appID: 'all', logs: {keep: 0}}])
  const folderOf = (id: string): string => join(rig.folder, id, '.dapr/logs')
  for (const id of ['shop', 'stock', 'all']) {
    mkdirSync(folderOf(id), {recursive: true})
    for (const kind of ['app', 'daprd'])
      for (let i = 0; i < 12; i++) writeFileSync(join(folderOf(id), named(id, kind, i)), '')
    for (const other of ['notes.log', 'shop_app_2026.log', 'shop_two_app_20260101000000.log'])
      writeFileSync(join(folderOf(id), other), '')
  }
  const old = (id: string, kind: string): readonly string[] =>
    readdirSync(folderOf(id)).filter(name => name.startsWith(`${id}_${kind}_202601010000`))
  const run = rig.pillion(['run', '-f', '.'])
  for (const id of ['shop', 'stock', 'all']) await rig.driven(id)
  // the new ones are the third and the tenth
  for (const [id, most] of [
    ['shop', 2],
    ['stock', 9]
  ] as const)
    for (const kind of ['app', 'daprd']) while (old(id, kind).length > most) await pause(10)
  t.same(old('shop', 'app'), [named('shop', 'app', 10), named('shop', 'app', 11)])
  t.same(old('shop', 'daprd'), [named('shop', 'daprd', 10), named('shop', 'daprd', 11)])
  t.equal(old('stock', 'app').length, 9)
  t.equal(old('all', 'app').length, 12)
  t.equal(readdirSync(folderOf('shop')).filter(name => !/_\d{14}\.log$/.test(name) || name.includes('two')).length, 3)
  t.equal(run.stderr.text, '')
})

t.test('a file that another run still writes stays', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', logs: {keep: 1}, appLogDestination: 'file'}])
  const folder = join(rig.folder, 'shop/.dapr/logs')
  const first = rig.pillion(['run', '-f', '.'])
  await rig.driven('shop')
  await first.waitForLine('Writing log files')
  const [written = ''] = readdirSync(folder).filter(name => name.startsWith('shop_app_'))
  const old = named('shop', 'app', 1)
  writeFileSync(join(folder, old), '')
  const second = rig.pillion(['run', '-f', '.'])
  await rig.driven('shop')
  await second.waitForLine('Writing log files')
  while (readdirSync(folder).includes(old)) await pause(10)
  t.ok(readdirSync(folder).includes(written), 'the first run still writes it')
  await second.end()
  t.ok(readdirSync(folder).includes(written))
})

t.test('logs of an ended run are those of the version that is asked for', async t => {
  const rig = await openRig(t)
  const versions = ['1.0.0', '2.0.0']
  await rig.template(versions.map(version => ({appID: 'svc', version, appDirPath: version})))
  for (const version of versions) {
    const folder = join(rig.folder, version, '.dapr/logs')
    mkdirSync(folder, {recursive: true})
    writeFileSync(join(folder, named(`svc_${version}`, 'app', 1)), `of ${version}\n`)
  }
  t.match(await rig.run(['logs', 'svc', '--version', '2.0.0', '--grep', 'of']), {code: 0, stdout: 'of 2.0.0\n'})
  t.match(await rig.run(['logs', 'svc', '--version', '*', '--grep', 'of']), {code: 0, stdout: /1\.0\.0\n.*2\.0\.0\n/})
  t.match(await rig.run(['logs', 'svc', '--version', '3.0.0']), {
    code: 1,
    stderr: /^❌ {2}no run has an app "svc", and its version 3\.0\.0 has no log file yet\n/
  })
})
