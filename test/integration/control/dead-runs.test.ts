import {execFileSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {noteSpared, writeRunFile} from '../../../src/control/run-file.ts'
import {findDead} from '../../../src/control/dead-runs.ts'

const MARKER = 'a'.repeat(32)

const folderOf = (t: Test): string => {
  const folder = mkdtempSync('/tmp/p-')
  t.teardown(() => rmSync(folder, {recursive: true, force: true}))
  return folder
}

/** The folder of a run that was killed while its socket had this name. */
async function killed(folder: string, name = 'socket'): Promise<string> {
  const runFolder = join(folder, name)
  mkdirSync(runFolder)
  await writeRunFile(runFolder, {marker: MARKER, graceMs: 300})
  const listen = `require('net').createServer().listen('${join(runFolder, name)}', () => process.kill(process.pid, 'SIGKILL'))`
  try {
    execFileSync(process.execPath, ['-e', listen], {stdio: 'ignore'})
  } catch {
    // it kills itself
  }
  return runFolder
}

const rewrite = (home: string, change: object): void => {
  const about = JSON.parse(readFileSync(join(home, 'about'), 'utf8')) as object
  writeFileSync(join(home, 'about'), JSON.stringify({...about, ...change}))
}

t.test('a run whose socket refuses twice is dead, even if the socket was not renamed yet', async t => {
  const folder = folderOf(t)
  const homes = [await killed(folder), await killed(folder, 'new')]
  noteSpared(homes[0] ?? '', `${MARKER}-1`)
  noteSpared(homes[0] ?? '', `${MARKER}-2`)
  const dead = await findDead({PILLION_RUNTIME_DIR: folder})
  t.match(
    dead.toSorted((a, b) => b.spared.length - a.spared.length),
    [
      {marker: MARKER, graceMs: 300, spared: [`${MARKER}-1`, `${MARKER}-2`]},
      {marker: MARKER, graceMs: 300, spared: []}
    ]
  )
  for (const run of dead) await run.forget()
  t.same(homes.map(existsSync), [false, false])
})

t.test('a run of another boot or pid namespace, or with an incomplete file, is left alone', async t => {
  const folder = folderOf(t)
  const changes = [{boot: 'another'}, {pids: 'pid:[1]'}, {marker: ''}, {marker: undefined}]
  for (const change of changes) {
    const home = await killed(folder)
    t.equal((await findDead({PILLION_RUNTIME_DIR: folder})).length, 1)
    rewrite(home, change)
    t.same(await findDead({PILLION_RUNTIME_DIR: folder}), [], JSON.stringify(change))
    rmSync(home, {recursive: true})
  }
  const home = await killed(folder)
  writeFileSync(join(home, 'about'), '{"mark":')
  t.same(await findDead({PILLION_RUNTIME_DIR: folder}), [], 'incomplete')
})

t.test('a run without a socket yet, and one that accepts the second connection, are not dead', async t => {
  const folder = folderOf(t)
  const young = await killed(folder, 'young')
  rmSync(join(young, 'young'))
  const slow = await killed(folder)
  const looked = findDead({PILLION_RUNTIME_DIR: folder})
  const server = createServer()
  t.teardown(() => server.close())
  setTimeout(() => {
    rmSync(join(slow, 'socket'))
    server.listen(join(slow, 'socket'))
  }, 300)
  t.same(await looked, [])
  t.ok(existsSync(young))
})

t.test('nothing is found where no run is dead', async t => {
  const folder = folderOf(t)
  t.same(await findDead({PILLION_RUNTIME_DIR: folder}), [])
  t.same(await findDead({PILLION_RUNTIME_DIR: join(folder, 'none')}), [])
})
