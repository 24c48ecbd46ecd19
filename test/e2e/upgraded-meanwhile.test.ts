import {cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A rig with an installation of its own, and the folder of that installation. */
async function installed(t: Test): Promise<{readonly rig: Rig; readonly place: string}> {
  const place = mkdtempSync(join(tmpdir(), 'installed-'))
  t.teardown(() => rmSync(place, {recursive: true, force: true}))
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, name), join(place, name), {recursive: true})
  return {place, rig: await openRig(t, {program: [process.execPath, join(place, 'bin/pillion.js')]})}
}

const codeIn = (folder: string): readonly string[] =>
  readdirSync(folder, {recursive: true})
    .map(String)
    .filter(name => name.endsWith('.code'))

t.test('a run whose installation is removed still has all of its code', async t => {
  const {rig, place} = await installed(t)
  const stock = {appID: 'stock', autoPort: true, watch: true, reload: 'overlap'}
  await rig.template([stock])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await (await rig.driven('stock')).listen()
  await run.waitForLine('Writing log files')

  rmSync(place, {recursive: true})
  await rig.write({'stock/a.js': 'saved'})
  await (await rig.driven('stock')).listen()
  await run.waitForLine('stock: reloaded')
  await rig.template([{...stock, tty: true, ready: {log: 'listens'}, logLevel: 'debug'}])
  const edited = await rig.driven('stock')
  t.equal((await edited.fetch('/v1.0/healthz/outbound')).status, 204)
  const page = rig.start([process.execPath, join(ROOT, 'bin/pillion.js'), 'dashboard', '--no-open'])
  t.match(await page.exited, {code: 0})
  t.match(await fetch(page.stdout.text.match(/http:\S+/)?.[0] ?? ''), {status: 200}, 'the page, too')
  const down = rig.start([process.execPath, join(ROOT, 'bin/pillion.js'), 'down'])
  t.same(await down.exited, {code: 0, signal: null})
  t.same(await run.exited, {code: 0, signal: null})
  t.notMatch(run.stderr.text, /Cannot find|a task has failed/)
})

t.test('a start keeps the compiled code for the next one, in the user’s cache for a read-only program', async t => {
  const {rig, place} = await installed(t)
  t.match(await rig.run(['list']), {code: 0})
  t.same(codeIn(place), ['.cache/pillion.code'])

  rmSync(join(place, '.cache'), {recursive: true})
  await rig.write({'a-file': ''})
  cpSync(join(rig.folder, 'a-file'), join(place, '.cache'))
  t.match(await rig.run(['list']), {code: 0})
  t.same(codeIn(rig.home), ['.cache/pillion/pillion.code'])
  t.match(await rig.run(['list']), {code: 0, stdout: /No Dapr instances found/})
})

t.test('a run keeps its code once it is up, and the next run can use that code', async t => {
  const {rig, place} = await installed(t)
  const code = join(place, '.cache/pillion-run.code')
  await rig.template([{appID: 'stock', autoPort: true}])
  const runUntil = async (isUp: () => Promise<unknown>): Promise<void> => {
    const run = rig.pillion(['run', '-f', '.'])
    await (await rig.driven('stock')).listen()
    await isUp()
    t.match(await run.end(), {code: 0})
  }
  await runUntil(async () => {
    while (!existsSync(code)) await pause(20)
  })
  const {ino} = statSync(code)
  await runUntil(async () => rig.run(['list']))
  t.equal(statSync(code).ino, ino, 'V8 took the code: it was not written again')
})
