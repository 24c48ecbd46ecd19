import {spawnSync} from 'node:child_process'
import {symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {UserError} from '../../../model/errors.ts'
import {importFrom} from '../import-template.ts'
import {imported, refusal, type Files} from './read.ts'

t.test('files that are too large, or no files', async t => {
  t.match(await refusal(t, {Procfile: `web: ${'x'.repeat(10_000_000)}`}), {
    message: 'cannot import Procfile: it is larger than 1 MiB'
  })
  t.match(await refusal(t, {'compose.yaml': `services: {a: {image: "${'x'.repeat(10_000_000)}"}}`}), {
    message: /larger than 1 MiB/
  })
  const folder = t.testdir({})
  spawnSync('mkfifo', [join(folder, 'compose.yaml')])
  await t.rejects(importFrom(['.'], {cwd: folder}), {
    message: 'cannot import compose.yaml: it is a named pipe, not a regular file'
  })
})

t.test('files next to it that are pipes or too large are not waited for, and not read', async t => {
  const cwd = t.testdir({a: {'package.json': '{"scripts": {"start": "node x.js"}}', 'x.js': '9'.repeat(2_000_000)}})
  for (const name of ['Dockerfile', '.env', 'vite.config.js']) spawnSync('mkfifo', [join(cwd, 'a', name)])
  const {imported: found} = await importFrom(['.'], {cwd, from: 'folder'})
  t.match(found.apps, [{id: 'a', keys: {command: ['npm', 'run', 'start']}}])
})

t.test('encodings: UTF-8 with a mark and UTF-16 are read, others are refused', async t => {
  const text = 'web: node server.js é\n'
  for (const bytes of [Buffer.from(`\uFEFF${text}`), Buffer.from(`\uFEFF${text}`, 'utf16le')]) {
    const cwd = t.testdir({})
    writeFileSync(join(cwd, 'Procfile'), bytes)
    const {imported: found} = await importFrom(['.'], {cwd})
    t.match(found.apps, [{id: 'web', keys: {command: ['node', 'server.js', 'é']}}])
  }
  for (const bytes of [Buffer.from(text, 'latin1'), Buffer.from('web: a\0b')]) {
    const cwd = t.testdir({})
    writeFileSync(join(cwd, 'Procfile'), bytes)
    await t.rejects(importFrom(['.'], {cwd}), {
      message: /^cannot import Procfile: it (?:is not UTF-8|contains the character NUL)$/
    })
  }
})

t.test('cycles of include and extends, over one file and several, are a message', async t => {
  for (const files of [
    {'compose.yaml': 'include: [compose.yaml]\nservices: {a: {image: x}}'},
    {
      'compose.yaml': 'include: [b.yaml]\nservices: {a: {image: x}}',
      'b.yaml': 'include: [compose.yaml]\nservices: {b: {image: x}}'
    }
  ]) {
    const error = await refusal(t, files)
    t.type(error, UserError)
    t.match(error, {message: /it includes itself$/, explanation: /:1:1\n/})
  }
  const {notes} = await imported(t, {
    'compose.yaml': 'services: {a: {extends: {file: b.yaml, service: b}, image: x}}',
    'b.yaml': 'services: {b: {extends: {file: compose.yaml, service: a}}}'
  })
  t.ok(
    notes.some(note => note.startsWith('extends: there is no service a')),
    notes.join('\n')
  )
})

t.test('folders behind links are not searched: they may be outside, or the folder itself', async t => {
  const cwd = t.testdir({
    outside: {'package.json': '{"scripts": {"start": "node x.js"}}'},
    in: {a: {'go.mod': 'module a', 'main.go': 'package main'}}
  })
  symlinkSync('../outside', join(cwd, 'in/b'))
  symlinkSync('..', join(cwd, 'in/loop'))
  const {imported: found} = await importFrom(['in'], {cwd, from: 'folder'})
  t.strictSame(
    found.apps.map(({id}) => id),
    ['a']
  )
})

t.test('300 services, each with the address of another one', async t => {
  const services = Array.from(
    {length: 300},
    (_, at) =>
      `  s${at}: {image: x, command: y, ports: ["${10_000 + at}:80"], environment: {NEXT_URL: "http://s${(at + 1) % 300}:80"}}`
  )
  const {template} = await imported(t, {'compose.yaml': `services:\n${services.join('\n')}`})
  t.equal(template.apps.length, 300)
  t.match(template.apps[299], {env: {NEXT_URL: 'http://host.docker.internal:10000'}})
})

const go = (): Files => ({'go.mod': 'module a', 'main.go': 'package main'})

t.test('folders that .gitignore names are not searched, repositories in them are', async t => {
  const {template} = await imported(
    t,
    {
      '.gitignore': '# data\n/out/\ncache/\nrepos/\nweb\n*.log/\nback/\n!back/\nmore/\n!/more\n!gone/\ngone/\n',
      out: {a: go()},
      shop: {cache: {b: go()}, out: {c: go()}},
      repos: {'.git': {}, d: go()},
      web: go(),
      back: go(),
      more: go(),
      gone: go()
    },
    '.',
    'folder'
  )
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['back', 'more', 'd', 'c', 'web']
  )
})
