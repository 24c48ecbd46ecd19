import {spawn} from 'node:child_process'
import {getEventListeners, once} from 'node:events'
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createServer, type Server} from 'node:http'
import {setImmediate as turn} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {TestClock} from '../../rig/clock.ts'
import {inDisguise} from '../../rig/disguise.ts'
import {served} from '../../rig/run-control.ts'
import {appOf, runOf} from '../../rig/listed.ts'
import {runSockets, sendToRun} from '../../../src/control/ask.ts'
import {findRuns} from '../../../src/control/client.ts'
import {existingFolders, usableFolder} from '../../../src/control/folder.ts'
import {readRunFile, writeRunFile} from '../../../src/control/run-file.ts'
import {LeaseSearch} from '../../../src/control/sidecar-leases.ts'
import type {RunListing, SidecarAddress} from '../../../src/control/run-control.ts'
import {register, type Registration} from '../../../src/control/server.ts'
import {isSuspended, startOf} from '../../../src/platform/process-table.ts'

const folderOf = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'p-'))
  t.teardown(() => {
    rmSync(folder, {recursive: true, force: true})
  })
  return folder
}

async function* texts(...all: readonly string[]): AsyncGenerator<string> {
  yield* all
}

const addressOf = ({run, startedAt}: RunListing): SidecarAddress => ({
  run,
  startedAt: Date.parse(startedAt),
  hosts: ['127.0.0.1'],
  port: 1,
  grpcPort: 2,
  key: 'k'
})

const registered = async (
  t: Test,
  folder: string,
  listed: RunListing,
  stopped: string[] = [],
  closing = new AbortController().signal
): Promise<Registration> => {
  const registration = await register(
    folder,
    {marker: listed.run, graceMs: 5000},
    served({
      list: () => ({...listed, apps: [appOf({id: 'order'}), appOf({id: 'sidecar'})]}),
      stop: () => stopped.push('run'),
      stopApp: async id => stopped.push(id) > 0 && id === 'order',
      restartApp: async id => ({order: '', sidecar: 'it has no command, only a sidecar'})[id],
      logs: (id, {tail, isFollowed}) =>
        id === 'order' ? texts(`tail ${tail}\n`, `followed ${isFollowed}\n`) : undefined,
      runLogs: (ids, {tail}) => (ids.includes('zzz') ? undefined : texts(`${ids.join()} ${tail}\n`)),
      leaseSidecar: id =>
        id === 'order'
          ? {address: addressOf(listed), closing, ready: () => 1, onChange: () => () => undefined}
          : undefined
    })
  )
  t.teardown(() => {
    registration.withdraw()
  })
  return registration
}

t.test('runs are found by their control sockets, oldest first', async t => {
  const folder = folderOf(t)
  await registered(t, folder, runOf('b'.repeat(32), 2))
  await registered(t, folder, runOf('a'.repeat(32), 1))
  const runs = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.same(
    runs.map(({listing}) => listing.run),
    ['a'.repeat(32), 'b'.repeat(32)]
  )
})

t.test('a withdrawn run is not found any more and leaves nothing behind', async t => {
  const folder = folderOf(t)
  const registration = await registered(t, folder, runOf('c'.repeat(32)))
  registration.withdraw()
  t.same(await findRuns({PILLION_RUNTIME_DIR: folder}), [])
  t.notOk(existsSync(join(folder, 'cccccccc')))
})

t.test('an app is stopped by its id, an unknown id is reported as unknown', async t => {
  const folder = folderOf(t)
  const stopped: string[] = []
  await registered(t, folder, runOf('d'.repeat(32)), stopped)
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  const stop = async (id: string): Promise<unknown> => run?.api.ask('POST /apps/{id}/stop', {at: {id}})
  t.match(await stop('order'), {apps: [{id: 'order'}]})
  await t.rejects(stop('sidecar'), {message: '"sidecar" was not stopped: it is stopped already'})
  await t.rejects(stop('zzz'), {message: 'the run has no app "zzz"'})
  t.same(stopped, ['order', 'sidecar'])
})

t.test('a missing folder contains no runs; one that others can access is refused by name', async t => {
  const folder = folderOf(t)
  t.same(await findRuns({PILLION_RUNTIME_DIR: join(folder, 'none')}), [])
  chmodSync(folder, 0o755)
  await t.rejects(findRuns({PILLION_RUNTIME_DIR: folder}), {
    message: `${folder} must be a folder that you own, with mode 0700`
  })
  t.throws(() => usableFolder([folder]), {message: /mode 0700/})
})

/** Which folders are found, and the messages about skipped ones. */
const lookIn = (folders: readonly string[]): {found: readonly string[]; skipped: readonly string[]} => {
  const skipped: string[] = []
  return {found: existingFolders(folders, text => skipped.push(text)), skipped}
}

t.test('a folder that others can access is skipped with a message if another one is usable', async t => {
  const [open, own, other] = [folderOf(t), folderOf(t), folderOf(t)]
  chmodSync(open, 0o755)
  chmodSync(other, 0o770)
  const none = join(own, 'none')
  const skipped = `${open} must be a folder that you own, with mode 0700: it is skipped`
  t.same(lookIn([own, open]), {found: [own], skipped: [skipped]})
  t.same(lookIn([open, own]), {found: [own], skipped: [skipped]})
  t.same(lookIn([none, open]), {found: [], skipped: [skipped]}, 'one that does not exist yet is usable')
  t.throws(() => lookIn([open, other]), {message: `${open} must be a folder that you own, with mode 0700`})
  t.equal(usableFolder([open, own]), own)
  t.equal(usableFolder([open, none]), none, 'it is created')
  t.throws(() => usableFolder([open, other]), {message: /mode 0700/})
})

t.test('a folder whose path is too long for a socket is refused', async t => {
  t.throws(() => usableFolder([join(folderOf(t), 'x'.repeat(90))]), {message: /too long for a socket/})
})

t.test('a request whose target is no URL gets a problem, and is no failure of the run', async t => {
  const folder = folderOf(t)
  const run = 'd'.repeat(32)
  await registered(t, folder, runOf(run))
  const [socket] = await runSockets({PILLION_RUNTIME_DIR: folder})
  for (const path of ['//', '//?id=order', 'http://[::1']) {
    const asked = {method: 'GET', path, body: '', accept: undefined, signal: undefined}
    t.equal((await sendToRun(socket?.path ?? '', asked)).statusCode, 404, path)
  }
})

t.test('an app is restarted, or the reason is returned', async t => {
  const folder = folderOf(t)
  await registered(t, folder, runOf('e'.repeat(32)))
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  const restart = async (id: string): Promise<unknown> => run?.api.ask('POST /apps/{id}/restart', {at: {id}})
  t.match(await restart('order'), {apps: [{id: 'order'}], isChanged: true})
  await t.rejects(restart('sidecar'), {message: '"sidecar" was not restarted: it has no command, only a sidecar'})
  await t.rejects(restart('zzz'), /no app "zzz"/)
})

t.test('a log is streamed', async t => {
  const folder = folderOf(t)
  await registered(t, folder, runOf('f'.repeat(32)))
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  const read = async (id: string, query: Readonly<Record<string, string>>): Promise<string | undefined> =>
    run?.api.text('GET /apps/{id}/logs', {at: {id}, query, accept: 'application/octet-stream'})
  t.equal(await read('order', {tail: '7', follow: ''}), 'tail 7\nfollowed true\n')
  t.equal(await read('order', {}), 'tail -1\nfollowed false\n')
  await t.rejects(read('zzz', {}), /no app "zzz"/)
})

t.test('a sidecar of each other run is leased until it closes, the oldest first; our own run is skipped', async t => {
  const folder = folderOf(t)
  const [own, old, young] = ['1', '2', '3'].map(digit => digit.repeat(32)) as [string, string, string]
  const closing = new AbortController()
  await registered(t, folder, runOf(own, 1))
  await registered(t, folder, runOf(young, 3))
  const registration = await registered(t, folder, runOf(old, 2), [], closing.signal)
  const search = new LeaseSearch({PILLION_RUNTIME_DIR: folder}, own)
  const {sidecars} = await search.find('order')
  t.same(
    sidecars.map(({address}) => address.run),
    [old, young]
  )
  closing.abort()
  await sidecars[0]?.closed
  sidecars[1]?.release()
  void registration.withdraw()
  const next = await search.find('order')
  t.same(
    next.sidecars.map(({address}) => address.run),
    [young]
  )
  next.sidecars[0]?.release()
  t.match(await search.find('zzz'), {sidecars: [], others: [], isStopped: false})
})

t.test('a released lease leaves no listener in the run that granted it', async t => {
  const folder = folderOf(t)
  const [own, other] = ['1', '2'].map(digit => digit.repeat(32)) as [string, string]
  const closing = new AbortController()
  const leased = (): number => getEventListeners(closing.signal, 'abort').length
  await registered(t, folder, runOf(other), [], closing.signal)
  const search = new LeaseSearch({PILLION_RUNTIME_DIR: folder}, own)
  for (let i = 0; i < 5; i++) {
    const [sidecar] = (await search.find('order')).sidecars
    t.equal(leased(), 1)
    sidecar?.release()
    while (leased() > 0) await new Promise(setImmediate)
  }
})

/** A listener that is no run of this version: `answer` to each request, '' = none (it is frozen). */
const foreignListener = async (t: Test, folder: string, answer: string): Promise<Server> => {
  const home = join(folder, '99999999')
  mkdirSync(home)
  const server = createServer((_, response) => {
    if (answer !== '') response.end(answer)
  })
  await new Promise<void>(resolve => server.listen(join(home, 'socket'), resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}

t.test('a run of another version is skipped with a message', async t => {
  const folder = folderOf(t)
  await foreignListener(t, folder, JSON.stringify({...runOf('9'.repeat(32)), version: '0.0.1', pid: 7}))
  const skipped: string[] = []
  t.same(await findRuns({PILLION_RUNTIME_DIR: folder}, text => skipped.push(text)), [])
  t.match(skipped, [/^the run with pid 7 is of version 0\.0\.1, and this is \S+: it is skipped$/])
  t.same(await new LeaseSearch({PILLION_RUNTIME_DIR: folder}, 'x').find('a'), {
    sidecars: [],
    others: [],
    isStopped: false
  })
})

t.test('what gives no answer of a run is skipped with a message, and other runs are found', async t => {
  for (const answer of ['garbage', '{}', 'null', '[]']) {
    const folder = folderOf(t)
    await foreignListener(t, folder, answer)
    await registered(t, folder, runOf('8'.repeat(32)))
    const skipped: string[] = []
    const found = await findRuns({PILLION_RUNTIME_DIR: folder}, text => skipped.push(text))
    t.same(
      found.map(({listing}) => listing.run),
      ['8'.repeat(32)],
      answer
    )
    t.match(skipped, [/^\/.*99999999 is skipped: no run answers there \(./], answer)
  }
})

t.test('a suspended run may end in the instant of its resume', {skip: inDisguise('it waits for /proc')}, async t => {
  const folder = folderOf(t)
  const parent = spawn('sh', ['-c', 'sleep 300 & echo $!; wait'], {stdio: ['ignore', 'pipe', 'ignore']})
  const pid = Number(String(((await once(parent.stdout, 'data')) as [Buffer])[0]))
  await foreignListener(t, folder, 'garbage')
  const identity = {pid, name: 'a', copy: '', started: startOf(pid), templateFile: '', appIds: []}
  await writeRunFile(join(folder, '99999999'), {marker: '9'.repeat(32), graceMs: 1, identity})
  process.kill(pid, 'SIGSTOP')
  while (!isSuspended(pid)) await new Promise(setImmediate)
  const suspended = (): 'resume' => {
    process.kill(pid, 'SIGKILL')
    while (existsSync(`/proc/${pid}`)); // its parent takes note of its end
    return 'resume'
  }
  t.same(
    await findRuns({PILLION_RUNTIME_DIR: folder}, () => undefined, {
      suspended,
      slow: ({pid: slowOne}) => t.fail(`${slowOne} is slow`)
    }),
    []
  )
})

t.test('a run that does not respond is skipped by the next searches', async t => {
  const folder = folderOf(t)
  const server = await foreignListener(t, folder, '')
  let asked = 0
  server.on('request', () => asked++)
  await registered(t, folder, runOf('8'.repeat(32)))
  const search = new LeaseSearch({PILLION_RUNTIME_DIR: folder}, 'x', undefined, 1000)
  for (let i = 0; i < 3; i++) {
    const [sidecar] = (await search.find('order')).sidecars
    t.equal(sidecar?.address.run, '8'.repeat(32))
    sidecar?.release()
  }
  t.equal(asked, 1)
})

t.test('a run whose folder is gone goes on', async t => {
  const folder = folderOf(t)
  const registration = await registered(t, folder, runOf('a'.repeat(32)))
  rmSync(folder, {recursive: true})
  registration.spare('life')
  registration.update({appIds: ['shop']}, 7000)
  await registration.withdraw()
})

t.test('an edit that gives an app of a run more time to end gives it to what is left after a kill', async t => {
  const folder = folderOf(t)
  const marker = 'd'.repeat(32)
  const identity = {pid: process.pid, name: 'shop', copy: '', started: 0, templateFile: '', appIds: ['shop']}
  const about = {marker, graceMs: 5000, identity}
  const registration = await register(folder, about, served({list: () => runOf(marker)}))
  registration.update({appIds: ['shop']}, 20_000)
  while (readRunFile(join(folder, marker.slice(0, 8)))?.graceMs !== 20_000) await turn()
  await registration.withdraw()
})

t.test('a run whose folder or socket another program has removed is found again', async t => {
  const folder = folderOf(t)
  const env = {PILLION_RUNTIME_DIR: folder}
  const clock = new TestClock()
  const listing = runOf('c'.repeat(32), 1)
  const serve = served({list: () => listing})
  const registration = await register(folder, {marker: listing.run, graceMs: 5000}, serve, clock)
  for (const removed of [folder, join(folder, 'cccccccc'), join(folder, 'cccccccc/socket')]) {
    rmSync(removed, {recursive: true})
    t.same(await findRuns(env), [], removed)
    clock.pass(60_000)
    while ((await findRuns(env)).length === 0) await turn()
  }
  await registration.withdraw()
  t.same(readdirSync(folder), [])
})
