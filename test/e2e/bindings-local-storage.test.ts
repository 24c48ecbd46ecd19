import {spawnSync} from 'node:child_process'
import {readFileSync, symlinkSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {failure, openInvoke} from './bindings-shop.ts'

const FILES = {'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: './kept'})}

t.test('files are created, got, listed and deleted', async t => {
  const {rig, invoke} = await openInvoke(t, FILES)
  const root = join(rig.folder, 'shop/kept')
  t.match(await invoke('files', {operation: 'list'}), {status: 200, body: 'null'})
  const create = async (data: unknown, fileName?: string): Promise<string> => {
    const answer = await invoke('files', {operation: 'create', data, ...(fileName && {metadata: {fileName}})})
    t.match(answer, {status: 200, headers: {'content-type': 'application/json'}})
    return (JSON.parse(answer.body) as {fileName: string}).fileName
  }
  const name = await create('text with "quotes"\n')
  t.match(name, /^[0-9a-f-]{36}$/)
  t.equal(readFileSync(join(root, name), 'utf8'), 'text with "quotes"\n')
  t.equal(await create({a: [1, 2]}, 'deep/er/object.json'), 'deep/er/object.json')
  t.equal(readFileSync(join(root, 'deep/er/object.json'), 'utf8'), '{"a":[1,2]}')
  t.equal(await create('AAEC/w==', 'bytes'), 'bytes')
  t.same(readFileSync(join(root, 'bytes')), Buffer.from([0, 1, 2, 255]))
  t.match(await invoke('files', {operation: 'get', metadata: {fileName: 'deep/er/object.json'}}), {
    status: 200,
    body: '{"a":[1,2]}'
  })
  const list = await invoke('files', {operation: 'list', metadata: {fileName: 'deep'}})
  t.same(JSON.parse(list.body), [join(root, 'deep/er/object.json')])
  t.match(await invoke('files', {operation: 'delete', metadata: {fileName: 'bytes'}}), {status: 204, body: ''})
  const gone = {metadata: {fileName: 'bytes'}}
  t.match(await invoke('files', {operation: 'get', ...gone}), failure('files', `file not found: ${root}/bytes`))
  t.match(await invoke('files', {operation: 'delete', ...gone}), {
    status: 500,
    body: `error deleting file ${root}/bytes: ENOENT`
  })
  t.match(
    await invoke('files', {operation: 'list', metadata: {fileName: 'deep/er/object.json'}}),
    failure('files', `unable to list files as the file specified is not a directory: ${root}/deep/er/object.json`)
  )
})

t.test('a name or a link that leads out of the root stays inside', async t => {
  const {rig, invoke} = await openInvoke(t, {...FILES, 'secret.txt': 'secret'})
  const root = join(rig.folder, 'shop/kept')
  await mkdir(root, {recursive: true})
  symlinkSync('../../..', join(root, 'up'))
  symlinkSync(join(rig.folder, 'secret.txt'), join(root, 'away'))
  symlinkSync('loop', join(root, 'loop'))
  for (const [fileName, inside] of [
    ['../../secret.txt', 'secret.txt'],
    ['/etc/passwd', 'etc/passwd'],
    ['up/secret.txt', 'secret.txt'],
    ['deep/../../x', 'x']
  ] as const) {
    t.match(await invoke('files', {operation: 'create', data: 'my text', metadata: {fileName}}), {
      status: 200,
      body: JSON.stringify({fileName: inside})
    })
    t.equal(readFileSync(join(root, inside), 'utf8'), 'my text')
  }
  t.equal(readFileSync(join(rig.folder, 'secret.txt'), 'utf8'), 'secret')
  t.match(await invoke('files', {operation: 'get', metadata: {fileName: 'away'}}), {
    status: 500,
    body: 'file not found'
  })
  t.match(
    await invoke('files', {operation: 'get', metadata: {fileName: 'loop'}}),
    failure('files', 'error getting absolute path for file loop: too many links')
  )
  t.match(await invoke('files', {operation: 'get', metadata: {fileName: 'a\0b'}}), {
    status: 500,
    body: 'error getting absolute path'
  })
})

t.test('a named pipe is no file: nobody waits for its other side', async t => {
  const {rig, invoke} = await openInvoke(t, FILES)
  const root = join(rig.folder, 'shop/kept')
  await mkdir(root, {recursive: true})
  spawnSync('mkfifo', [join(root, 'pipe')])
  const pipe = {metadata: {fileName: 'pipe'}}
  const why = 'it is a named pipe, not a regular file'
  t.match(
    await invoke('files', {operation: 'create', data: 'x', ...pipe}),
    failure('files', `error creating file ${root}/pipe: ${why}`)
  )
  // more than there are threads that read files
  const gets = await Promise.all(Array.from({length: 6}, async () => invoke('files', {operation: 'get', ...pipe})))
  for (const got of gets) t.match(got, failure('files', `error reading file ${root}/pipe: ${why}`))
  t.match(await invoke('files', {operation: 'delete', ...pipe}), {status: 204})
})
