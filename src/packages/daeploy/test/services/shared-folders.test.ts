import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {tarOf} from '../../../../../test/rig/tar.ts'
import {Workspaces} from '../../services/workspaces.ts'
import type {AppPlan} from '../../../../model/plan.ts'

const scene = (t: Test, said?: string[]) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'shared-')))
  t.teardown(() => rmSync(root, {recursive: true, force: true}))
  const project = join(root, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'service.py'), 'one')
  return {
    root,
    project,
    copies: new Workspaces({HOME: root}, 'f'.repeat(32), {warn: (_, text) => said?.push(text) ?? t.fail(text)})
  }
}

const app = (id: string, folder: string): AppPlan =>
  ({id, version: '1.0.0', instance: 1, folder, fixedPort: 8000}) as unknown as AppPlan

t.test('a service that comes to a folder during the run gets a workspace, too', async t => {
  const {project, copies} = scene(t)
  const [first, added] = [app('a', project), app('b', project)]
  await copies.open([first])
  const copy = await copies.folderOf(added)
  t.not(copy, project)
  t.equal(readFileSync(join(copy, 'service.py'), 'utf8'), 'one')
  t.equal(await copies.folderOf(first), project)
  copies.keepOnly([first, added])
  t.not(await copies.folderOf(app('c', project)), project, 'an edit may open it again')
  copies.keepOnly([added])
  t.equal(await copies.folderOf(app('d', project)), project, 'the folder is free')
  t.equal(await copies.folderOf(added), copy)
})

t.test('instances of one version share no folder', async t => {
  const {project, copies} = scene(t)
  const first = app('a', project)
  const second = {...first, instance: 2}
  await copies.open([first, second])
  t.equal(await copies.folderOf(first), project)
  t.match(await copies.folderOf(second), /a_1\.0\.0\.2$/)
})

t.test('dependencies of a part of a project, and folders without a file, are in a copy, too', async t => {
  const {project, copies} = scene(t)
  mkdirSync(join(project, 'tools/node_modules/lib'), {recursive: true})
  writeFileSync(join(project, 'tools/node_modules/lib/index.js'), 'lib')
  mkdirSync(join(project, 'data/uploads'), {recursive: true})
  await copies.open([app('a', project)])
  const copy = await copies.folderOf(app('b', project))
  t.equal(readFileSync(join(copy, 'tools/node_modules/lib/index.js'), 'utf8'), 'lib')
  t.same(readdirSync(join(copy, 'data/uploads')), [])
  writeFileSync(join(project, 'data/uploads/one'), '')
  await copies.folderOf(app('b', project))
  rmSync(join(project, 'data/uploads/one'))
  await copies.folderOf(app('b', project))
  t.same(readdirSync(join(copy, 'data/uploads')), [], 'what is emptied stays')
  t.same(await copies.close(), [])
  t.ok(existsSync(join(project, 'tools/node_modules/lib/index.js')))
})

t.test('where the home is the folder of the services, no copy is in a copy', async t => {
  const {project} = scene(t)
  const copies = new Workspaces({HOME: project}, 'e'.repeat(32), {warn: (_, text) => t.fail(text)})
  await copies.open([app('a', project)])
  for (let life = 0; life < 3; life++) {
    const copy = await copies.folderOf(app('b', project))
    t.same(readdirSync(copy), ['service.py'])
  }
  t.same(await copies.close(), [])
})

t.test('a service that an edit takes to another folder runs what is there', async t => {
  const {root, project, copies} = scene(t)
  const other = join(root, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'service.py'), 'two')
  await copies.open([app('a', project), app('b', project), app('c', other)])
  t.equal(readFileSync(join(await copies.folderOf(app('b', project)), 'service.py'), 'utf8'), 'one')
  t.equal(readFileSync(join(await copies.folderOf(app('b', other)), 'service.py'), 'utf8'), 'two')
  copies.keepOnly([app('c', root)])
  t.equal(await copies.folderOf(app('d', other)), other, 'the folder that it has left is free')
  copies.keepOnly([])
  t.equal(await copies.folderOf(app('c', root)), root)
})

t.test('what the user has changed in a service’s workspace stays when an edit moves the service', async t => {
  const {root, project, copies} = scene(t)
  const other = join(root, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'service.py'), 'two')
  await copies.open([app('a', project), app('b', project), app('c', other)])
  const copy = await copies.folderOf(app('b', project))
  writeFileSync(join(copy, 'service.py'), 'mine')
  t.equal(await copies.folderOf(app('b', other)), copy)
  t.equal(readFileSync(join(copy, 'service.py'), 'utf8'), 'two')
  const [kept = '', ...others] = await copies.close()
  t.same(others, [])
  t.equal(readFileSync(join(kept, 'service.py'), 'utf8'), 'mine')
  t.notOk(existsSync(copy))
})

t.test('a file that could not be copied again leaves the copy when it leaves its folder', async t => {
  const {project, copies} = scene(t, [])
  await copies.open([app('a', project), app('b', project)])
  const copy = async (): Promise<string> => copies.folderOf(app('b', project))
  const place = join(await copy(), 'x')
  const source = join(project, 'x')
  writeFileSync(source, 'one')
  await copy()
  rmSync(source)
  symlinkSync(place, source) // a file that is copied to itself
  await copy()
  rmSync(source)
  await copy()
  t.notOk(existsSync(place))
})

t.test('a service that an edit takes to a folder without a file has a folder to run in', async t => {
  const {root, project, copies} = scene(t)
  const empty = join(root, 'empty')
  mkdirSync(empty)
  await copies.open([app('a', project), app('b', project), app('c', empty)])
  t.same(readdirSync(await copies.folderOf(app('b', empty))), [])
})

t.test('a run ends well after its workspaces were removed', async t => {
  const {root, project, copies} = scene(t)
  await copies.open([app('a', project), app('b', project)])
  rmSync(join(root, '.cache'), {recursive: true})
  t.same(await copies.close(), [])
})

t.test('a workspace is made again after a user has cleared the cache', async t => {
  const {root, project, copies} = scene(t)
  await copies.open([app('a', project), app('b', project)])
  rmSync(join(root, '.cache'), {recursive: true})
  const copy = await copies.folderOf(app('b', project))
  t.equal(readFileSync(join(copy, 'service.py'), 'utf8'), 'one')
  t.same(readdirSync(join(copy, '..')).toSorted(), ['b_1.0.0', 'ledger.json'])
})

t.test('a cache folder that the user clears during the run keeps no service from leaving, and coming back', async t => {
  const {root, copies} = scene(t)
  const archive = join(root, 'archive')
  writeFileSync(archive, tarOf({name: 'service.py', text: 'one'}))
  await copies.unpack('a_1.0.0', archive)
  rmSync(join(root, '.cache'), {recursive: true})
  await copies.dropUnchanged('a_1.0.0')
  rmSync(join(root, '.cache'), {recursive: true})
  const folder = await copies.unpack('a_1.0.0', archive)
  t.equal(readFileSync(join(folder, 'service.py'), 'utf8'), 'one')
  rmSync(join(root, '.cache'), {recursive: true})
  t.equal(readFileSync(join(await copies.unpack('a_1.0.0', archive), 'service.py'), 'utf8'), 'one')
  t.same(await copies.close(), [])
  t.notOk(readdirSync(root).includes('.cache') && readdirSync(join(root, '.cache/pillion')).length > 0)
})
