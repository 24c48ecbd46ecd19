import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {findSource} from '../find-source.ts'
import {readFolders} from '../reading/files.ts'
import {imported} from './read.ts'

t.test('a compose.yaml of process-compose is one, also where a folder is named', async t => {
  const processes = {'compose.yaml': 'processes:\n  a: {command: node main.js}'}
  t.match((await imported(t, processes)).template.apps, [{appID: 'a', command: ['node', 'main.js']}])
  const both = {...processes, 'docker-compose.yml': 'services: {b: {image: redis}}'}
  t.match((await imported(t, both)).template.apps, [{appID: 'a'}])
  const cwd = t.testdir({one: processes, two: {...processes, 'compose.prod.yaml': ''}})
  readFolders()
  t.strictSame(findSource('one', undefined, cwd).others, [], 'it is not found next to itself')
  t.strictSame(findSource('two', undefined, cwd).others, ['compose.prod.yaml'])
})

t.test('keys of process-compose that are not carried over are named', async t => {
  const {notes} = await imported(t, {
    'process-compose.yaml': `
disable_env_expansion: true
processes:
  a:
    command: node main.js
    readiness_probe: {exec: {command: test -f x, working_dir: sub}}
    shutdown: {parent_only: true}
`
  })
  t.strictSame(notes, [
    'disable_env_expansion: true is not carried over',
    'shutdown.parent_only: true is not carried over',
    'readiness_probe.exec.working_dir: sub is not carried over',
    'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'
  ])
})

t.test('keys of compose about restarts that are not carried over are named', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `
services:
  db: {image: redis}
  a:
    build: .
    command: node main.js
    depends_on: {db: {condition: service_started, restart: true}}
    deploy: {restart_policy: {condition: any}}
`,
    Dockerfile: 'FROM node',
    'main.js': ''
  })
  const ofRestarts = notes.filter(note => note.includes('restart'))
  t.strictSame(ofRestarts, ['deploy.restart_policy: {"condition":"any"} is not carried over'])
})

t.test('an absolute Dockerfile is the one that is built', async t => {
  const build = {context: './api', dockerfile: join(t.testdirName, 'shop/other/Dockerfile')}
  const {template} = await imported(t, {
    'compose.yaml': JSON.stringify({services: {a: {build}}}),
    api: {'x.js': ''},
    other: {Dockerfile: 'FROM node\nCMD ["node", "x.js"]\n'}
  })
  t.match(template.apps, [{command: ['node', 'x.js']}])
})

t.test('the compose files in the folder of an image are no files of its program', async t => {
  const service = {build: '.', environment: {DB: 'db:5432'}}
  const db = {build: 'web', command: 'node server.js', ports: ['5433:5432']}
  const services = {a: service, db}
  const {notes} = await imported(t, {
    'compose.yaml': JSON.stringify({services}, undefined, 1),
    'compose.override.yaml': 'services:\n  a:\n    environment:\n      OTHER: db:5432\n',
    'app.conf': 'upstream db:5432\n',
    Dockerfile: 'FROM scratch\n',
    web: {'server.js': ''}
  })
  t.strictSame(
    notes.filter(note => note.includes('write that')),
    ['app.conf:1: db:5432 is db:5433 here: write that']
  )
})

t.test('files of the kernel that are mounted are not read', {skip: process.platform !== 'linux'}, async t => {
  // not process.title, which other tests of this process find in its command line
  const name = readFileSync('/proc/self/comm')
  writeFileSync('/proc/self/comm', 'db:5432')
  t.teardown(() => writeFileSync('/proc/self/comm', name))
  t.match(readFileSync('/proc/self/comm', 'utf8'), 'db:5432')
  const services = {
    a: {image: 'x', volumes: ['/proc/self/comm:/title:ro', '/proc:/all:ro']},
    db: {image: 'postgres', ports: ['5433:5432']}
  }
  const {notes} = await imported(t, {'compose.yaml': JSON.stringify({services})})
  t.strictSame(
    notes.filter(note => note.includes('db')),
    []
  )
})
