import t from 'tap'
import {readTar} from '../../../src/daeploy/tar.ts'

interface AppRuntime {
  readonly name: string
  readonly type?: string
  readonly text?: string
  readonly mode?: string
  readonly link?: string
}

/** One app of an archive, written without our code. */
const runtime = ({name, type = '0', text = '', mode = '0000644', link = ''}: AppRuntime): Buffer => {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write(`${mode}\0`, 100)
  head.write(`${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`, 124)
  head.write('        ', 148)
  head.write(type, 156)
  head.write(link, 157)
  head.write('ustar\x0000', 257)
  const sum = head.reduce((a, b) => a + b, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
  body.write(text)
  return Buffer.concat([head, body])
}
const archive = (...runtimes: readonly AppRuntime[]): Buffer =>
  Buffer.concat([...runtimes.map(runtime), Buffer.alloc(1024)])
/** A record of pax; its length counts its own three digits. */
const pax = (record: string): string => `${(record.length + 5).toString()} ${record}\n`

t.test('files, folders and links are read, with paths below their folder', async t => {
  const entries = readTar(
    archive(
      {name: './'},
      {name: '/', type: '5'},
      {name: './svc/', type: '5'},
      {name: './svc/service.py', text: 'print(1)\n'},
      {name: 'svc/run.sh', text: '#!/bin/sh\n', mode: '0000755'},
      {name: 'svc/a/../b.txt', text: 'b'},
      {name: 'svc/latest', type: '2', link: '../svc/service.py'}
    )
  )
  t.match(entries, [
    {path: 'svc', kind: 'folder'},
    {path: 'svc/service.py', kind: 'file', isExecutable: false, bytes: Buffer.from('print(1)\n')},
    {path: 'svc/run.sh', kind: 'file', isExecutable: true},
    {path: 'svc/b.txt', kind: 'file'},
    {path: 'svc/latest', kind: 'link', leadsTo: '../svc/service.py'}
  ])
  t.equal(entries.length, 5)
})

t.test('long names of GNU tar and of pax are read', async t => {
  const long = `${'d'.repeat(120)}/f.py`
  t.match(readTar(archive({name: '././@LongLink', type: 'L', text: `${long}\0`}, {name: 'cut', text: 'x'})), [
    {path: long}
  ])
  t.match(
    readTar(archive({name: 'PaxHeader', type: 'x', text: pax(`path=${'e'.repeat(100)}`)}, {name: 'cut', text: 'x'})),
    [{path: 'e'.repeat(100)}]
  )
  t.match(
    readTar(
      archive(
        {name: '././@LongLink', type: 'L', text: `${long}\0`},
        {name: 'cut', text: 'x'},
        {name: 'next', text: 'y'}
      )
    ).map(({path}) => path),
    [long, 'next'],
    'a long name is that of the next member alone'
  )
})

t.test('what leaves its folder, by name or by link, is refused', async t => {
  for (const bad of [
    {name: '../out.py'},
    {name: 'a/../../out.py'},
    {name: '/etc/passwd'},
    {name: 'link', type: '2', link: '/etc'},
    {name: 'a/link', type: '2', link: '../../etc'},
    {name: 'hard', type: '1', link: 'x'},
    {name: 'device', type: '3'}
  ])
    t.throws(() => readTar(archive(bad)), /leaves the folder|neither a file/, bad.name)
})

t.test('what is no archive, or is cut off, is refused', async t => {
  t.throws(() => readTar(Buffer.alloc(1024, 'x')), /no tar archive/)
  t.throws(() => readTar(archive({name: 'f', text: 'x'.repeat(2000)}).subarray(0, 1024)), /cut off/)
})
