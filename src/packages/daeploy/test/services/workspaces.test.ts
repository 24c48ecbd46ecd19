import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import t, {type Test} from 'tap'
import {tarOf, type Member} from '../../../../../test/rig/tar.ts'
import {Workspaces} from '../../services/workspaces.ts'
import type {AppPlan} from '../../../../model/plan.ts'

const scene = (t: Test, said: string[] = []) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'copies-')))
  t.teardown(() => rmSync(root, {recursive: true, force: true}))
  const project = join(root, 'project')
  mkdirSync(join(project, 'deep/er'), {recursive: true})
  writeFileSync(join(project, 'service.py'), 'one')
  writeFileSync(join(project, 'deep/er/data.txt'), 'data')
  return {root, project, copies: new Workspaces({HOME: root}, 'f'.repeat(32), {warn: (_, text) => said.push(text)})}
}

/** A folder of two services, with a link to a folder; `copy` brings that of the second one up to date and returns its path. */
const shared = async (t: Test) => {
  const said: string[] = []
  const {project, copies} = scene(t, said)
  mkdirSync(join(project, 'm1'))
  writeFileSync(join(project, 'm1/x'), 'one')
  symlinkSync('m1', join(project, 'model'))
  const second = app('b', project)
  await copies.open([app('a', project), second])
  return {project, copies, said, copy: async () => copies.folderOf(second)}
}

/** Gives a folder and all in it to another user. */
function chown(folder: string, uid: number): void {
  for (const path of ['', ...readdirSync(folder, {recursive: true, encoding: 'utf8'})])
    lchownSync(join(folder, path), uid, uid)
}

const app = (id: string, folder: string, fixedPort = 8000): AppPlan =>
  ({id, version: '1.0.0', instance: 1, folder, fixedPort}) as unknown as AppPlan

t.test('a folder’s second service, even by a link, gets a workspace; a plain app and the first do not', async t => {
  const {root, project, copies} = scene(t)
  for (const name of ['.git', '__pycache__', '.dapr', '.venv', 'node_modules', 'outside'])
    mkdirSync(join(project, name))
  writeFileSync(join(project, '.git/config'), '')
  writeFileSync(join(project, 'service_db.db'), '')
  writeFileSync(join(project, 'service_db.db-journal'), '')
  symlinkSync(project, join(root, 'alias'))
  symlinkSync('..', join(project, 'up'))
  const [first, plain, second] = [app('a', project), app('b', project, 0), app('c', join(root, 'alias'))]
  await copies.open([first, plain, second])
  t.equal(await copies.folderOf(first), project)
  t.equal(await copies.folderOf(plain), project)
  const copy = await copies.folderOf(second)
  t.equal(copy, join(root, '.cache/pillion', 'f'.repeat(32), 'c_1.0.0'))
  t.same(readdirSync(copy).toSorted(), ['.venv', 'deep', 'node_modules', 'outside', 'service.py', 'up'])
  t.equal(readlinkSync(join(copy, '.venv')), join(project, '.venv'))
  t.equal(readlinkSync(join(copy, 'up')), root, 'a link leads where it led')
  t.equal(readFileSync(join(copy, 'deep/er/data.txt'), 'utf8'), 'data')
  t.same(await copies.close(), [])
  t.notOk(existsSync(copy))
})

t.test('each life has the changes of the source, and keeps what the service wrote', async t => {
  const {project, copies} = scene(t)
  const second = app('b', project)
  await copies.open([app('a', project), second])
  const copy = await copies.folderOf(second)
  writeFileSync(join(copy, 'service_db.db'), 'rows')
  writeFileSync(join(project, 'service.py'), 'two, longer')
  writeFileSync(join(project, 'new.py'), 'new')
  rmSync(join(project, 'deep/er/data.txt'))
  t.equal(await copies.folderOf(second), copy)
  t.equal(readFileSync(join(copy, 'service.py'), 'utf8'), 'two, longer')
  t.equal(readFileSync(join(copy, 'new.py'), 'utf8'), 'new')
  t.notOk(existsSync(join(copy, 'deep/er/data.txt')))
  t.equal(readFileSync(join(copy, 'service_db.db'), 'utf8'), 'rows')
  t.same(await copies.close(), [], 'nothing of it is a change of the user')
})

t.test('copying does not block the event loop; two copies run one after the other, closing waits for both', async t => {
  const {root, project, copies} = scene(t)
  const second = app('b', project)
  for (let n = 0; n < 200; n++) writeFileSync(join(project, `file${n}`), 'text')
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  turn()
  await copies.open([app('a', project), second])
  isOver = true
  t.ok(turns > 50, `${turns} turns`)
  writeFileSync(join(project, 'service.py'), 'two, longer')
  const both = [copies.folderOf(second), copies.folderOf(second)]
  t.same(await copies.close(), [])
  t.equal(new Set(await Promise.all(both)).size, 1)
  t.same(readdirSync(join(root, '.cache/pillion')), [], 'nothing came back after the end')
})

t.test('a workspace with a changed or a new file is kept, all others are removed', async t => {
  const {root, project, copies} = scene(t)
  const [second, third, fourth] = [app('b', project), app('c', project), app('d', project)]
  await copies.open([app('a', project), second, third, fourth])
  writeFileSync(join(await copies.folderOf(second), 'service.py'), 'mine')
  writeFileSync(join(await copies.folderOf(third), 'notes.txt'), 'mine')
  const hook = copies.folder('python')
  t.same(await copies.close(), [await copies.folderOf(second), await copies.folderOf(third)])
  t.notOk(existsSync(await copies.folderOf(fourth)))
  t.notOk(existsSync(hook))
  t.same(readdirSync(join(root, '.cache/pillion', 'f'.repeat(32))), ['b_1.0.0', 'c_1.0.0'])
})

t.test('times that the file system or the copying rounds are no change', async t => {
  const {project, copies} = scene(t)
  const [second, third] = [app('b', project), app('c', project)]
  // a copy gets whole milliseconds, rounded up or down
  utimesSync(join(project, 'service.py'), 1_700_000_000.0007, 1_700_000_000.0007)
  utimesSync(join(project, 'deep/er/data.txt'), 1_700_000_000.0003, 1_700_000_000.0003)
  await copies.open([app('a', project), second, third])
  const made = join(await copies.folderOf(second), 'service.py')
  t.not(statSync(made).mtimeMs, statSync(join(project, 'service.py')).mtimeMs, 'they differ here')
  utimesSync(join(project, 'service.py'), 1_700_000_001.0006, 1_700_000_001.0006)
  await copies.folderOf(third)
  t.same(await copies.close(), [])
  t.notOk(existsSync(made))
})

t.test('a link to a folder that becomes a folder: nothing is written or removed behind the old link', async t => {
  const {project, copy, copies} = await shared(t)
  rmSync(join(project, 'model'))
  mkdirSync(join(project, 'model'))
  writeFileSync(join(project, 'model/x'), 'NEW')
  const folder = await copy()
  t.equal(readFileSync(join(project, 'm1/x'), 'utf8'), 'one')
  t.equal(readFileSync(join(folder, 'model/x'), 'utf8'), 'NEW')
  rmSync(join(project, 'model/x'))
  await copy()
  t.equal(readFileSync(join(project, 'm1/x'), 'utf8'), 'one')
  t.notOk(existsSync(join(folder, 'model/x')))
  rmSync(join(project, 'model'), {recursive: true})
  symlinkSync('m1', join(project, 'model'))
  await copy()
  t.equal(readFileSync(join(folder, 'model/x'), 'utf8'), 'one', 'and back')
  t.same(await copies.close(), [])
  t.equal(readFileSync(join(project, 'm1/x'), 'utf8'), 'one')
})

t.test('a link that the service made in its copy is replaced, not followed', async t => {
  const {project, copy} = await shared(t)
  const folder = await copy()
  for (const [path, target] of [
    ['service.py', join(project, 'm1/x')],
    ['deep', join(project, 'm1')]
  ] as const) {
    rmSync(join(folder, path), {recursive: true})
    symlinkSync(target, join(folder, path))
  }
  writeFileSync(join(project, 'service.py'), 'two, longer')
  writeFileSync(join(project, 'deep/x'), 'deep')
  await copy()
  t.equal(readFileSync(join(project, 'm1/x'), 'utf8'), 'one')
  t.equal(readFileSync(join(folder, 'service.py'), 'utf8'), 'two, longer')
  t.equal(readFileSync(join(folder, 'deep/x'), 'utf8'), 'deep')
})

t.test('a file that becomes a folder, a folder that becomes a file, a link that leads elsewhere', async t => {
  const {project, copy, said} = await shared(t)
  const folder = await copy()
  mkdirSync(join(folder, 'deep/er/__pycache__'))
  symlinkSync('round', join(project, 'round'))
  rmSync(join(project, 'deep'), {recursive: true})
  writeFileSync(join(project, 'deep'), 'a file')
  rmSync(join(project, 'service.py'))
  mkdirSync(join(project, 'service.py'))
  writeFileSync(join(project, 'service.py/main'), 'a folder')
  mkdirSync(join(project, 'm2'))
  writeFileSync(join(project, 'm2/x'), 'two')
  rmSync(join(project, 'model'))
  symlinkSync('m2', join(project, 'model'))
  await copy()
  t.equal(readFileSync(join(folder, 'deep'), 'utf8'), 'a file')
  t.equal(readFileSync(join(folder, 'service.py/main'), 'utf8'), 'a folder')
  t.equal(readFileSync(join(folder, 'model/x'), 'utf8'), 'two')
  t.same(said, [])
})

t.test('a file that cannot be copied is named once, and the others are copied', async t => {
  const {project, copy, said} = await shared(t)
  // as long as a path may be: that of the copy is longer
  const longest = process.platform === 'linux' ? 4096 : 1024
  let tooLong = project
  while (tooLong.length < longest - 210) tooLong = join(tooLong, 'n'.repeat(200))
  mkdirSync(tooLong, {recursive: true})
  const path = join(tooLong, 'n'.repeat(longest - tooLong.length - 5))
  writeFileSync(path, '')
  for (const text of ['two, longer', 'three, even longer']) {
    writeFileSync(join(project, 'service.py'), text)
    t.equal(readFileSync(join(await copy(), 'service.py'), 'utf8'), text)
  }
  t.equal(said.length, 1)
  t.match(said[0], path)
})

t.test('a folder that cannot be read is named once; the others are copied, and what was copied stays', async t => {
  const {project, copy, said, copies} = await shared(t)
  const closed = join(project, 'm1')
  symlinkSync('../deep', join(closed, 'back'))
  const place = await copy()
  chmodSync(closed, 0)
  const isRoot = process.geteuid?.() === 0
  if (isRoot) chown(dirname(project), 65_534)
  if (isRoot) process.seteuid?.(65_534) // root may read anywhere
  try {
    for (const text of ['two, longer', 'three, even longer']) {
      writeFileSync(join(project, 'service.py'), text)
      t.equal(readFileSync(join(await copy(), 'service.py'), 'utf8'), text)
    }
    t.ok(existsSync(join(place, 'm1/x')))
    t.ok(existsSync(join(place, 'm1/back')))
    t.match(said, [`${closed} is not in the copy of its folder: EACCES`])
    chmodSync(closed, 0o755)
    rmSync(join(closed, 'x'))
    rmSync(join(closed, 'back'))
    await copy()
    t.same(readdirSync(join(place, 'm1')), [], 'what is gone when it can be read again is gone from the copy')
    mkdirSync(join(place, 'own'))
    writeFileSync(join(place, 'own/x'), '')
    chmodSync(join(place, 'own'), 0)
    t.same(await copies.close(), [])
    t.match(said.slice(1), [`${place} cannot be removed: EACCES`])
  } finally {
    if (isRoot) process.seteuid?.(0)
    for (const folder of [closed, join(place, 'own')]) if (existsSync(folder)) chmodSync(folder, 0o755)
  }
})

t.test('a database of the service is copied once; it then belongs to the copy', async t => {
  const {project, copies} = scene(t)
  writeFileSync(join(project, 'catalog.db'), 'rows')
  const second = app('b', project)
  await copies.open([app('a', project), second])
  const folder = await copies.folderOf(second)
  t.equal(readFileSync(join(folder, 'catalog.db'), 'utf8'), 'rows')
  writeFileSync(join(project, 'catalog.db'), 'rows of the first service')
  await copies.folderOf(second)
  t.equal(readFileSync(join(folder, 'catalog.db'), 'utf8'), 'rows')
  writeFileSync(join(folder, 'catalog.db'), 'rows of the second service')
  rmSync(join(project, 'catalog.db'))
  await copies.folderOf(second)
  t.ok(existsSync(join(folder, 'catalog.db')))
  t.same(await copies.close(), [], 'which the service has written, not the user')
})

/** An archive with these files, each with its path as its text. */
function packed(root: string, ...members: readonly (string | Member)[]): string {
  const path = join(root, `archive-${members.length}`)
  writeFileSync(path, tarOf(...members.map(each => (typeof each === 'string' ? {name: each, text: each} : each))))
  return path
}

t.test('what is deployed is unpacked into a folder of its own', async t => {
  const {root, copies} = scene(t)
  const archive = packed(
    root,
    {name: 'data', type: '5'},
    'service.py',
    {name: 'bin/run.sh', mode: '0000755'},
    {name: 'latest', type: '2', link: 'service.py'}
  )
  const folder = await copies.unpack('hello_1.0.0', archive)
  t.equal(readFileSync(join(folder, 'latest'), 'utf8'), 'service.py')
  t.same(readdirSync(folder).toSorted(), ['bin', 'data', 'latest', 'service.py'])
  await copies.drop('hello_1.0.0')
  t.notOk(existsSync(folder))
  t.same(await copies.close(), [])
})

t.test('a deployment under the name of an earlier one has nothing of that', async t => {
  const {root, copies} = scene(t)
  const folder = await copies.unpack('hello_1.0.0', packed(root, 'service.py', 'old.py'))
  writeFileSync(join(folder, 'service_db.db'), 'rows')
  t.equal(await copies.unpack('hello_1.0.0', packed(root, 'service.py')), folder)
  t.same(readdirSync(folder), ['service.py'])
})

t.test('what the user has changed in an earlier deployment of that name is kept under another one', async t => {
  const {root, copies} = scene(t)
  const folder = await copies.unpack('hello_1.0.0', packed(root, 'service.py'))
  writeFileSync(join(folder, 'service.py'), 'mine')
  await copies.dropUnchanged('hello_1.0.0')
  t.equal(await copies.unpack('hello_1.0.0', packed(root, 'service.py')), folder)
  t.equal(readFileSync(join(folder, 'service.py'), 'utf8'), 'service.py')
  const [kept = '', ...others] = await copies.close()
  t.same(others, [])
  t.equal(readFileSync(join(kept, 'service.py'), 'utf8'), 'mine')
  t.notOk(existsSync(folder))
})

t.test('a deployment under the name of a service of the template is no copy of its folder', async t => {
  const {root, project, copies} = scene(t)
  const second = app('b', project)
  await copies.open([app('a', project), second])
  const folder = await copies.unpack('b_1.0.0', packed(root, 'other.py'))
  t.equal(await copies.folderOf({...second, folder}), folder)
  t.same(readdirSync(folder), ['other.py'])
})

t.test('an end while a deployment is unpacked leaves nothing', async t => {
  const said: string[] = []
  const {root, copies} = scene(t, said)
  const archive = packed(root, ...Array.from({length: 5000}, (_, n) => `deep/file${n}`))
  const unpacking = copies.unpack('hello_1.0.0', archive)
  const folder = copies.folder('hello_1.0.0')
  while (!existsSync(join(folder, 'deep/file0'))) await new Promise(setImmediate)
  const late = t.rejects(unpacking)
  t.same(await copies.close(), [])
  await late
  await t.rejects(copies.unpack('hello_2.0.0', archive), /the run ends/)
  t.same(readdirSync(join(root, '.cache/pillion')), [])
  t.same(said, [])
})

t.test('an end at the very begin of the first deployment leaves nothing', async t => {
  const {root, copies} = scene(t)
  const late = t.rejects(copies.unpack('hello_1.0.0', packed(root, 'service.py')), /the run ends/)
  t.same(await copies.close(), [])
  await late
  t.notOk(existsSync(join(root, '.cache/pillion')) && readdirSync(join(root, '.cache/pillion')).length > 0)
})

t.test('of what was deployed an edited file stays; what the service wrote goes', async t => {
  const {root, copies} = scene(t)
  const edited = await copies.unpack('hello_1.0.0', packed(root, 'service.py'))
  const written = await copies.unpack('hello_2.0.0', packed(root, 'service.py'))
  writeFileSync(join(edited, 'service.py'), 'mine')
  writeFileSync(join(written, 'result.csv'), 'its own')
  t.same(await copies.close(), [edited])
  t.notOk(existsSync(written))
})

t.test('what is dropped before there is any folder is not sought where we stand', async t => {
  const {root, copies} = scene(t)
  mkdirSync(join(root, 'hello_1.0.0'))
  const here = process.cwd()
  process.chdir(root)
  t.teardown(() => process.chdir(here))
  await copies.drop('hello_1.0.0')
  t.ok(existsSync(join(root, 'hello_1.0.0')))
})

t.test('without a home to write in, the folder for temporary files serves', async t => {
  const {project} = scene(t)
  const copies = new Workspaces({HOME: join(project, 'service.py')}, 'a'.repeat(32), {warn: (_, text) => t.fail(text)})
  const folder = copies.folder('python')
  t.ok(folder.startsWith(join(tmpdir(), 'pillion-')))
  t.same(await copies.close(), [])
  t.notOk(existsSync(folder))
})

t.test('a stop of the run ends a copy: what is large would hold it up', async t => {
  const {root, project} = scene(t)
  for (let at = 0; at < 500; at++) writeFileSync(join(project, `${at}.txt`), '')
  const over = new AbortController()
  const copies = new Workspaces({HOME: root}, 'f'.repeat(32), {warn: (_, text) => t.fail(text)}, over.signal)
  const second = app('b', project)
  const opened = copies.open([app('a', project), second])
  const folder = join(root, '.cache/pillion', 'f'.repeat(32), 'b_1.0.0')
  while (!existsSync(folder) || readdirSync(folder).length === 0) await new Promise(resolve => setImmediate(resolve))
  over.abort()
  await opened
  t.ok(readdirSync(folder).length < 500)
  t.strictSame(await copies.close(), [], 'and nothing of it is kept')
})
