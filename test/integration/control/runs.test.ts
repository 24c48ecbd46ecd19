import {chmodSync, existsSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {findRuns} from '../../../src/control/client.ts'
import {usableFolder} from '../../../src/control/folder.ts'
import type {RunListing} from '../../../src/control/messages.ts'
import {register, type Registration} from '../../../src/control/server.ts'

const folderOf = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'p-'))
  t.teardown(() => {
    rmSync(folder, {recursive: true, force: true})
  })
  return folder
}

const listing = (run: string, startedAt = 1): RunListing => ({
  version: '1',
  run,
  pid: process.pid,
  startedAt,
  templateFile: '/shop/dapr.yaml',
  templateName: 'shop',
  apps: []
})

const registered = async (t: Test, folder: string, told: RunListing, stopped: string[] = []): Promise<Registration> => {
  const registration = await register(folder, told.run, {
    list: () => told,
    stop: () => stopped.push('run'),
    stopApp: async id => stopped.push(id) > 0 && id === 'order'
  })
  t.teardown(() => {
    registration.withdraw()
  })
  return registration
}

t.test('runs are found by asking their sockets, oldest first', async t => {
  const folder = folderOf(t)
  await registered(t, folder, listing('b'.repeat(32), 2))
  await registered(t, folder, listing('a'.repeat(32), 1))
  const runs = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.same(
    runs.map(run => run.listing),
    [listing('a'.repeat(32), 1), listing('b'.repeat(32), 2)]
  )
})

t.test('a run that is withdrawn is found no more and leaves nothing behind', async t => {
  const folder = folderOf(t)
  const registration = await registered(t, folder, listing('c'.repeat(32)))
  registration.withdraw()
  t.same(await findRuns({PILLION_RUNTIME_DIR: folder}), [])
  t.notOk(existsSync(join(folder, 'cccccccc')))
})

t.test('an app is stopped by its id, and an unknown one is said to be unknown', async t => {
  const folder = folderOf(t)
  const stopped: string[] = []
  await registered(t, folder, listing('d'.repeat(32)), stopped)
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.equal(await run?.stopApp('order'), true)
  t.equal(await run?.stopApp('zzz'), false)
  t.same(stopped, ['order', 'zzz'])
})

t.test('a folder that is not there holds no runs; one open to others is refused by name', async t => {
  const folder = folderOf(t)
  t.same(await findRuns({PILLION_RUNTIME_DIR: join(folder, 'none')}), [])
  chmodSync(folder, 0o755)
  await t.rejects(findRuns({PILLION_RUNTIME_DIR: folder}), {
    message: `${folder} must be a folder of yours with mode 0700`
  })
  t.throws(() => usableFolder([folder]), {message: /mode 0700/})
})

t.test('a folder whose path is too long for a socket is refused', async t => {
  t.throws(() => usableFolder([join(folderOf(t), 'x'.repeat(90))]), {message: /too long for a socket/})
})
