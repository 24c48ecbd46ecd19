import {once} from 'node:events'
import {existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync} from 'node:fs'
import {request, type IncomingMessage} from 'node:http'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import t, {type Test} from 'tap'
import {unpackArchive} from '../archive.ts'
import {tarOf, type Member} from '../../../../test/rig/tar.ts'
import {openManager} from './rig.ts'

/** A record of pax; its length counts its own three digits. */
const pax = (record: string): string => `${record.length + 5} ${record}\n`

/** Unpacks an archive into the folder `in` of a new one. */
async function unpack(t: Test, bytes: Buffer, limits?: Parameters<typeof unpackArchive>[2]): Promise<string> {
  const root = t.testdir({in: {}, archive: ''})
  writeFileSync(join(root, 'archive'), bytes)
  await unpackArchive(join(root, 'archive'), join(root, 'in'), limits)
  return join(root, 'in')
}

t.test('files, folders and links are unpacked below their folder, compressed or not', async t => {
  const archive = tarOf(
    {name: './', type: '5', mode: '0000000'},
    {name: '/', type: '5'},
    {name: './svc/', type: '5', mode: '0000000'},
    {name: './svc/service.py', text: 'print(1)\n', mode: '0000000'},
    {name: 'svc/run.sh', text: '#!/bin/sh\n', mode: '0004755'},
    {name: 'deep/er/b.txt', text: 'b'},
    {name: 'svc/latest', type: '2', link: '../svc/service.py'},
    {name: 'nowhere', type: '2', link: 'missing'}
  )
  for (const bytes of [archive, gzipSync(archive)]) {
    const folder = await unpack(t, bytes)
    t.equal(readFileSync(join(folder, 'svc/latest'), 'utf8'), 'print(1)\n')
    t.equal(readFileSync(join(folder, 'deep/er/b.txt'), 'utf8'), 'b')
    t.equal(readlinkSync(join(folder, 'svc/latest')), '../svc/service.py')
    t.equal(lstatSync(join(folder, 'svc/run.sh')).mode & 0o7777, 0o755)
    t.equal(lstatSync(join(folder, 'svc/service.py')).mode & 0o7777, 0o644)
    t.equal(lstatSync(join(folder, 'svc')).mode & 0o7777, 0o755)
  }
})

t.test('long names of GNU tar and of pax are read', async t => {
  const long = `${'d'.repeat(120)}/f.py`
  const folder = await unpack(
    t,
    tarOf(
      {name: '././@LongLink', type: 'L', text: `${long}\0`},
      {name: 'cut', text: 'x'},
      {name: 'next', text: 'y'},
      {name: 'PaxHeader', type: 'x', text: pax(`path=${'e'.repeat(100)}`)},
      {name: 'cut', text: 'z'}
    )
  )
  t.same(readdirSync(folder).toSorted(), ['d'.repeat(120), 'e'.repeat(100), 'next'])
  t.equal(readFileSync(join(folder, long), 'utf8'), 'x')
})

t.test('a path that no system opens is refused at once', async t => {
  const record = `path=${'a/'.repeat(100_000)}b`
  const text = `${record.length + 8} ${record}\n`
  await t.rejects(unpack(t, tarOf({name: 'PaxHeader', type: 'x', text}, {name: 'cut', text: 'x'})), {
    message: 'a path of 200001 characters is too long'
  })
})

t.test('what leaves its folder is refused, and nothing is written there', async t => {
  const table: readonly (readonly Member[])[] = [
    [{name: '../out/F', text: 'x'}],
    [{name: 'a/../../out/F', text: 'x'}],
    [{name: '/tmp/out/F', text: 'x'}],
    [{name: 'link', type: '2', link: '/tmp'}],
    [{name: 'a/link', type: '2', link: '../../out'}],
    [{name: 'hard', type: '1', link: '../out/F'}],
    [{name: 'device', type: '3'}],
    [{name: 'pipe', type: '6'}],
    // by a chain of links, none of which leads out by itself
    [
      {name: 'a', type: '2', link: '.'},
      {name: 'a/up', type: '2', link: '..'},
      {name: 'up/out/F', text: 'x'}
    ],
    [
      {name: 'd', type: '5'},
      {name: 'd/e', type: '5'},
      {name: 'in', type: '2', link: 'd/e'},
      {name: 'in/up', type: '2', link: '..'},
      {name: 'd/e/up/../../F', text: 'x'},
      {name: 'in/up/F', text: 'x'}
    ],
    [
      {name: 'a', type: '2', link: '.'},
      {name: 'b', type: '2', link: 'a/../out'}
    ],
    [
      {name: 'd', type: '5'},
      {name: 'd/here', type: '2', link: '..'},
      {name: 'b', type: '2', link: 'd/here/../out'}
    ]
  ]
  for (const members of table) {
    const root = t.testdir({in: {}, out: {}})
    writeFileSync(join(root, 'archive'), tarOf(...members))
    await t.rejects(
      unpackArchive(join(root, 'archive'), join(root, 'in')),
      /leaves the folder|neither a file|symbolic link|contains '\.\.'/,
      members.map(({name}) => name).join()
    )
    t.same(readdirSync(join(root, 'out')), [], members.map(({name}) => name).join())
    t.same(readdirSync(root).toSorted(), ['archive', 'in', 'out'])
  }
})

t.test('a later member takes the place of a link, and is not written through it', async t => {
  const root = t.testdir({in: {}})
  mkdirSync(join(root, 'in/kept'))
  writeFileSync(join(root, 'in/kept/service.py'), 'own')
  const archive = tarOf({name: 'x', type: '2', link: 'kept/service.py'}, {name: 'x', text: 'new'})
  writeFileSync(join(root, 'archive'), archive)
  await unpackArchive(join(root, 'archive'), join(root, 'in'))
  t.equal(readFileSync(join(root, 'in/kept/service.py'), 'utf8'), 'own')
  t.equal(readFileSync(join(root, 'in/x'), 'utf8'), 'new')
})

t.test('what is no archive, or is cut off, is refused', async t => {
  await t.rejects(unpack(t, Buffer.alloc(1024, 'x')), /archive|checksum/i)
  await t.rejects(unpack(t, Buffer.alloc(0)), /archive/i)
  await t.rejects(unpack(t, tarOf({name: 'f', text: 'x'.repeat(2000)}).subarray(0, 1024)), /truncated/i)
  await t.rejects(unpack(t, gzipSync(tarOf({name: 'f', text: 'x'})).subarray(0, 40)), /unexpected end of file/)
})

t.test('of what comes out no more is written than the limit', async t => {
  const bomb = gzipSync(tarOf({name: 'f', text: '0'.repeat(8 * 2 ** 20)}, {name: 'after', text: 'x'}))
  t.ok(bomb.length < 10_000)
  const limits = {maxBytes: 2 ** 20, maxEntries: 10}
  const root = t.testdir({in: {}})
  writeFileSync(join(root, 'archive'), bomb)
  await t.rejects(unpackArchive(join(root, 'archive'), join(root, 'in'), limits), /more than 1048576 bytes/)
  const written = join(root, 'in/f')
  t.ok(!existsSync(written) || lstatSync(written).size <= 2 ** 20)
  const many = Array.from({length: 11}, (_, n) => ({name: `f${n}`}))
  await t.rejects(unpack(t, tarOf(...many), limits), /more than 10 files/)
})

t.test('folders that only stand in paths count, too', async t => {
  const limits = {maxBytes: 2 ** 20, maxEntries: 100}
  const deep = Array.from({length: 10}, (_, n) => ({name: `${n}/${'d/'.repeat(30)}f`}))
  await t.rejects(unpack(t, tarOf(...deep), limits), /more than 100 files/)
  const flat = Array.from({length: 40}, (_, n) => ({name: `one/and/two/${n}`}))
  await t.resolves(unpack(t, tarOf(...flat), limits))
})

t.test('what is refused is not read to its end', async t => {
  const root = t.testdir({in: {}})
  const half = tarOf({name: '../out'}).subarray(0, 512)
  const zeros = Buffer.concat([
    half,
    ...Array.from({length: 4096}, () => tarOf({name: 'f', text: '0'.repeat(1024)}).subarray(0, 1536))
  ])
  // behind the fault: what is no gzip any more, which nobody comes to
  writeFileSync(join(root, 'archive'), Buffer.concat([gzipSync(zeros), Buffer.alloc(100_000, 'x')]))
  await t.rejects(unpackArchive(join(root, 'archive'), join(root, 'in')), /leaves the folder/)
  t.same(readdirSync(join(root, 'in')), [])
})

t.test('what is refused is written to its end before that is told: nothing comes to the disk later', async t => {
  const files = Array.from({length: 300}, (_, n) => ({name: `d${n}/f`, text: 'x'.repeat(2000)}))
  const root = t.testdir({in: {}})
  writeFileSync(join(root, 'archive'), gzipSync(tarOf(...files)))
  await t.rejects(
    unpackArchive(join(root, 'archive'), join(root, 'in'), {maxBytes: 2 ** 20, maxEntries: 400}),
    /more than 400 files/
  )
  rmSync(join(root, 'in'), {recursive: true})
  await new Promise(resolve => setTimeout(resolve, 100))
  t.notOk(existsSync(join(root, 'in')))
})

t.test('an archive that cannot be opened is refused, and nothing else fails', async t => {
  const root = t.testdir({in: {}})
  await t.rejects(unpackArchive(join(root, 'gone'), join(root, 'in')), {code: 'ENOENT'})
  await new Promise(resolve => setTimeout(resolve, 20)) // what fails behind it would end the run
})

t.test('a client that asks before it sends an archive gets 100 Continue', async t => {
  const {port} = await openManager(t, {managed: {newUpload: () => join(t.testdir({}), 'upload')}})
  const form = new FormData()
  for (const [name, value] of Object.entries({name: 'a', version: '1.0.0'})) form.set(name, value)
  form.set('file', new Blob(['a tar']), 'a.tar')
  const sent = new Response(form)
  const asking = request({
    port,
    path: '/services/~tar',
    method: 'POST',
    headers: {'content-type': sent.headers.get('content-type') ?? '', expect: '100-continue'}
  })
  asking.flushHeaders()
  await once(asking, 'continue')
  asking.end(Buffer.from(await sent.arrayBuffer()))
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  t.equal(answer.resume().statusCode, 202)
})
