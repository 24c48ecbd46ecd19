import {chmod, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {freePorts} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const SERVER = `const {createServer} = require('node:http')
createServer((_, response) => response.end(process.env.GREETING ?? 'hello')).listen(Number(process.env.PORT))
`
const read = async (rig: Rig, name = 'pillion.yaml'): Promise<string> => readFile(join(rig.folder, name), 'utf8')

t.test('a Procfile: imported, it validates and runs', async t => {
  const rig = await openRig(t)
  const port = 5000 + (process.pid % 1000) + 20_000
  await rig.write({
    Procfile: `web: PORT=${port} node server.js\nticker: while true; do echo tick; sleep 60; done\n`,
    'server.js': SERVER,
    '.env': 'GREETING=from .env\n'
  })
  t.match(await rig.run(['import']), {
    code: 0,
    stdout: '✅  wrote 2 apps from Procfile to pillion.yaml\nℹ️  Next: pillion validate, then pillion up -d\n',
    stderr: ''
  })
  t.match(await rig.run(['validate']), {code: 0, stdout: '✅  pillion.yaml can run: 2 apps\n', stderr: ''})
  const run = rig.pillion(['up'])
  await run.waitForLine('== APP - ticker == tick')
  t.match(await rig.run(['invoke', '-a', 'web', '-m', '/', '-v', 'GET']), {code: 0, stdout: /^from \.env\n/})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('a compose file: a program, and a container by docker', async t => {
  const rig = await openRig(t)
  await rig.write({
    'compose.yaml': `
services:
  web:
    build: web
    environment: ["REDIS_URL=redis://cache:6379"]
    depends_on: {cache: {condition: service_healthy}}
    networks: [back]
  cache:
    image: redis:7
    environment: {A: "\${A:-one}"}
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "redis-cli", "ping"]}
volumes: {data: {}}
networks: {back: {}}
`,
    'web/package.json': '{"scripts": {"start": "node -p process.env.REDIS_URL"}}',
    'bin/docker': `#!/bin/sh
case $1 in network) echo "$*" >>"$LOG"; exit ;; exec) exit ;; esac
echo "docker $* A=$A" && exec sleep 1000
`
  })
  await chmod(join(rig.folder, 'bin/docker'), 0o755)
  t.match(await rig.run(['import', '--from', 'compose', '-o', 'dapr.yaml']), {code: 0, stderr: ''})
  const log = join(rig.folder, 'log')
  const env = {PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`, A: 'two', LOG: log}
  const run = rig.pillion(['up'], {env})
  const line = await run.waitForLine(/== APP - cache == docker run --rm --name \S+-cache --network pillion-\S+/)
  t.match(line, /--network-alias cache --publish 6379:6379 --volume \S+_data:\/data --env A redis:7 A=two$/)
  await run.waitForLine('== APP - web == redis://localhost:6379')
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
  const [, network = ''] = /--network (\S+)/.exec(line) ?? []
  const [made, asked, ...removed] = (await readFile(log, 'utf8')).trim().split('\n')
  t.same([made, ...removed], [`network create ${network}`, `network rm ${network}`])
  t.match(asked, /^network inspect/)
})

t.test('programs of a compose file that have one number in their code call each other by name', async t => {
  const rig = await openRig(t)
  const [inCode = 0, published = 0] = await freePorts(2)
  const program = (answer: string): string => `require('node:http')
  .createServer(async (_, response) => response.end(${answer}))
  .listen(${inCode})`
  await rig.write({
    'compose.yaml': `
services:
  web: {build: web, command: node web.js, ports: ["${published}:${inCode}"], environment: {API: "http://api:${inCode}/x"}}
`,
    'compose.override.yml': `services: {api: {build: api, command: node api.js}}`,
    'api/api.js': program("'from api'"),
    'api/Dockerfile': `FROM node\nEXPOSE ${inCode}\n`,
    'web/web.js': program("'web, ' + await (await fetch(process.env.API)).text()")
  })
  t.match(await rig.run(['import']), {code: 0})
  t.match(await rig.run(['validate']), {code: 0})
  const run = rig.pillion(['up'])
  await run.waitForLine('api ready at')
  t.equal(await (await fetch(`http://localhost:${published}/`)).text(), 'web, from api')
  t.match(await rig.run(['calls']), {stdout: /web → api +GET \/x +200/})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('a Procfile and a compose file: one template, in which programs wait for servers', async t => {
  const rig = await openRig(t)
  await rig.write({
    Procfile: 'web: node -p "process.env.HOST" && sleep 1000\n',
    'compose.yaml':
      'services: {web: {image: x, environment: {HOST: cache}}, cache: {image: "redis:7", ports: ["6379"]}}\n',
    'bin/docker': '#!/bin/sh\n[ "$1" = network ] && exit\necho "docker $*"\nexec sleep 1000\n'
  })
  await chmod(join(rig.folder, 'bin/docker'), 0o755)
  t.match(await rig.run(['import', '-o', '-']), {
    stderr: /Also found: Procfile\. Name a file to import it instead, or both: pillion import Procfile compose\.yaml\n/
  })
  await rig.write({
    'other/.env': 'COMPOSE_FILE=docker/compose.yaml\n',
    'other/Procfile': 'web: x\n',
    'other/docker/compose.yaml': 'services: {web: {image: x}}\n'
  })
  t.match(await rig.run(['import', 'other', '-o', '-']), {
    stderr: /or both: pillion import other\/Procfile other\/docker\/compose\.yaml\n/
  })
  t.match(await rig.run(['import', 'Procfile', 'compose.yaml']), {
    code: 0,
    stdout: /wrote 2 apps from Procfile and compose\.yaml to pillion\.yaml/
  })
  t.match(await read(rig), /it is in Procfile and in compose\.yaml: as in Procfile, with .*env\.HOST of compose\.yaml/)
  t.match(await rig.run(['validate']), {code: 0})
  const [port] = await freePorts(1)
  // 5000 is the number of each first program of a Procfile, also in other tests
  await rig.write({'pillion.yaml': (await read(rig)).replace('port: 5000', `port: ${port}`)})
  const run = rig.pillion(['up'], {env: {PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}})
  await run.waitForLine(/== APP - cache == docker run .* redis:7/)
  t.match(await rig.run(['ps', 'web']), {stdout: /waits for cache/})
  await run.end('SIGINT')
})

t.test('a process-compose file: dependencies and probes', async t => {
  const rig = await openRig(t)
  await rig.write({
    'process-compose.yaml': `
version: "0.5"
processes:
  last: {command: 'echo "last of \${WHO}"', environment: [WHO=three], depends_on: {first: {condition: process_completed_successfully}, db: {condition: process_log_ready}}}
  first: {command: echo first}
  db: {command: "echo ready to go; exec sleep 1000", ready_log_line: ready to}
`
  })
  t.match(await rig.run(['import']), {code: 0})
  const run = rig.pillion(['up'])
  await run.waitForLine('== APP - last == last of three')
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('a folder: to standard output, into another folder, and what was found besides', async t => {
  const rig = await openRig(t)
  await rig.write({
    'shop/web/package.json': '{"scripts": {"dev": "vite"}}',
    'shop/Procfile': 'web: x\n',
    'shop/api/go.mod': 'module api\n',
    'shop/api/main.go': 'package main\n'
  })
  const shown = await rig.run(['import', 'shop', '--from', 'folder', '-o', '-'])
  t.match(shown, {
    code: 0,
    stdout: /^# Written by pillion import from the files of shop\/\.\n/,
    stderr: /Also found: Procfile\./
  })
  t.match(shown.stdout, /appDirPath: \.\/shop\/web\n/)
  t.match(await rig.run(['import', 'shop', '--from', 'folder', '-o', 'run/dapr.yaml']), {code: 0})
  t.match(await read(rig, 'run/dapr.yaml'), /appDirPath: \.\.\/shop\/web\n/)
  t.match(await rig.run(['validate', 'run']), {code: 0, stdout: '✅  run/dapr.yaml can run: 2 apps\n'})
})

t.test('an existing template is not touched without --force', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yml': 'version: 1\n', Procfile: 'web: node x.js\n'})
  t.match(await rig.run(['import']), {
    code: 1,
    stderr:
      '❌  dapr.yml already exists\nWrite another file: -o imported.yaml. Print it: -o -. Overwrite it: --force. [wrong-value]\n'
  })
  t.match(await rig.run(['import', '-o', 'dapr.yml']), {code: 1})
  t.equal(await read(rig, 'dapr.yml'), 'version: 1\n')
  t.match(await rig.run(['import', '-o', 'other.yaml']), {
    code: 0,
    stdout: /Next: pillion validate -f other\.yaml, then pillion up -d -f other\.yaml\n/
  })
  t.match(await rig.run(['import', '-o', 'dapr.yml', '--force']), {code: 0})
  t.match(await read(rig, 'dapr.yml'), /appID: web/)
})

t.test('what cannot be imported', async t => {
  const rig = await openRig(t)
  await rig.write({
    'empty/x': '',
    'bad/compose.yaml': 'services: {a: {image: x}\n',
    'cycle/compose.yaml': 'services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}',
    Procfile: 'a: b'
  })
  t.match(await rig.run(['import', 'empty']), {code: 1, stderr: /found nothing to import in empty\nLooked for/})
  t.match(await rig.run(['import', 'bad']), {
    code: 1,
    stderr: /cannot import bad\/compose\.yaml: .*\nbad\/compose\.yaml:\d+:\d+\n/
  })
  t.match(await rig.run(['import', 'cycle']), {
    code: 1,
    stderr: /cannot write a template from this: .*dependsOn is circular/
  })
  t.match(await rig.run(['import', 'a', 'b']), {code: 1, stderr: /there is no file or folder a/})
  t.match(await rig.run(['import', 'bad', 'cycle', '--from', 'compose']), {
    code: 255,
    stderr: /--from takes one path/
  })
  t.match(await rig.run(['import', '-o', 'x.txt']), {code: 1, stderr: /the name of a template must end in \.yaml/})
  t.match(await rig.run(['import', '-o', 'Procfile/dapr.yaml']), {code: 1, stderr: /cannot write Procfile\/dapr\.yaml/})
})

t.test('the second compose file: the plain name first, then dev; files that change its services are named', async t => {
  const rig = await openRig(t)
  const services = 'services: {web: {image: "x:1"}}\n'
  await rig.write({
    'compose.yaml': services,
    'compose.build.yml': services,
    'compose.dev.yml': services,
    'prod/compose.yaml': services,
    'prod/compose.prod.yml': services,
    'compose.other.yml': 'services: {else: {image: x}}\n',
    'compose.broken.yml': 'services: {',
    'sub/docker-compose.build.yml': services,
    'sub/docker-compose.yaml': services,
    'sub/docker-compose.dev.yml': services,
    'sub/package.json': '{"scripts": {"start": "node x.js"}}',
    'other/deploy/docker-compose.build.yml': services,
    'other/deploy/docker-compose.dev.yml': services,
    'other/deploy/docker-compose.yml': services,
    'other/package.json': '{"scripts": {"start": "node x.js"}}'
  })
  const first = await rig.run(['import', '-o', '-'])
  t.match(
    first.stderr,
    /compose\.dev\.yml and compose\.build\.yml change services of compose\.yaml: pillion import compose\.yaml compose\.dev\.yml reads both\n/
  )
  t.notMatch(first.stderr, /other|broken/)
  const folder = await rig.run(['import', 'other', '-o', '-'])
  t.match(
    folder.stdout,
    /# import: other\/deploy\/docker-compose\.yml, other\/deploy\/docker-compose\.dev\.yml, \S+build\.yml: its services/
  )
  const sub = await rig.run(['import', 'prod', '-o', '-'])
  t.match(
    sub.stderr,
    /prod\/compose\.prod\.yml changes services of prod\/compose\.yaml: name both files to read both\n/
  )
  const both = await rig.run(['import', 'compose.yaml', 'compose.dev.yml', '-o', '-'])
  t.notMatch(both.stderr, /change services/)
  const marks = [/pillion (import .*) reads both/.exec(folder.stdout), /pillion (import .*) -o prog/.exec(both.stdout)]
  for (const [, command = ''] of marks.map(each => each ?? []))
    t.match(await rig.run([...command.split(' '), '-o', '-']), {code: 0, stdout: /appID: other\n/}, command)
})
