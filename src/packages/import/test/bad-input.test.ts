import {spawnSync} from 'node:child_process'
import {symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {UserError} from '../../../model/errors.ts'
import {importFrom} from '../import-template.ts'
import {portOfDockerfile} from '../reading/dockerfile.ts'
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
  t.match(template.apps[299], {env: {NEXT_URL: 'http://s0:80'}})
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

t.test('settings with many blank lines are read at once', async t => {
  const blank = '\n'.repeat(300_000)
  const portIn = async (resources: Files): Promise<unknown> => {
    const {template} = await imported(t, {
      'pom.xml': '<project>spring-boot-starter spring-boot-maven-plugin</project>',
      src: {main: {java: {'App.java': 'SpringApplication'}, resources}}
    })
    return template.apps[0]?.['port']
  }
  for (const lines of ['  \n'.repeat(40), blank, `${' '.repeat(400)}\n`.repeat(2000)])
    t.equal(await portIn({'application.yml': `server:\n${lines}spring: {}\n`}), 8080)
  t.equal(await portIn({'application.properties': `${blank}server.port`}), 8080)
  t.equal(await portIn({'application.yml': 'server:\r\n  address: x\r\n\r\n  port: 9001\r\n'}), 9001)
  const folder = t.testdir({Dockerfile: `FROM x\n${blank}EXPOSE`})
  t.equal(portOfDockerfile(join(folder, 'Dockerfile')), 0)
  const {template} = await imported(t, {'Procfile.dev': 'web: node x.js', bin: {dev: `${blank}PORT`}}, 'Procfile.dev')
  t.match(template.apps, [{appID: 'web'}])
})

t.test('paths that the system does not follow: a link to itself, a name that is too long', async t => {
  const cwd = t.testdir({})
  symlinkSync('loop', join(cwd, 'loop'))
  const long = 'n'.repeat(5000)
  writeFileSync(
    join(cwd, 'compose.yaml'),
    `services: {a: {image: x, env_file: [loop, ${long}]}, b: {build: loop}, c: {build: ${long}}}`
  )
  const {imported: found} = await importFrom(['.'], {cwd})
  t.equal(found.apps.length, 3)
  await t.rejects(importFrom(['loop'], {cwd}), {message: 'there is no file or folder loop'})
})

t.test('a folder called .env, as of an environment of Python, is no file of variables', async t => {
  const folder = {'.env': {bin: {}}}
  const sources: readonly Files[] = [
    {Procfile: 'web: x\n'},
    {'process-compose.yml': 'processes: {a: {command: a, environment: ["A=$TAG"]}}'},
    {'compose.yaml': 'services: {a: {image: "x:${TAG:-1}"}}'}
  ]
  for (const files of sources) {
    const {text} = await imported(t, {...folder, ...files})
    t.notMatch(text, /\.env/)
  }
})

/** A compose file that includes the next one twice. */
const next = (at: number): string => `include: [${at}.yaml, ./${at}.yaml]\nservices: {s${at}: {image: x}}`

t.test('files that each include the next one twice are a message', async t => {
  const files = Object.fromEntries(Array.from({length: 40}, (_, at) => [`${at}.yaml`, next(at + 1)]))
  const error = await refusal(t, {...files, 'compose.yaml': next(0), '40.yaml': 'services: {a: {image: x}}'})
  t.match(error, {message: / files are included more than 1000 times$/})
})
