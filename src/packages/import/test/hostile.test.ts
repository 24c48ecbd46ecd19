import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {delimiter, join} from 'node:path'
import t, {type Test} from 'tap'
import {parse} from 'yaml'
import {imported, type Files, type Written} from './read.ts'

/** Ways out of quotes, comments and values: each creates the file, where a shell or a template takes it in. */
const waysOut = (file: string): readonly string[] => [
  `'; touch ${file}; '`,
  `"; touch ${file}; "`,
  `$(touch ${file})`,
  `\`touch ${file}\``,
  `x; touch ${file} #`,
  `x\ntouch ${file}\n`,
  `x\n    command: [touch, ${file}]`,
  `x\r    command: [touch, ${file}]`,
  `x\u2028    command: [touch, ${file}]`,
  `x\u0085    command: [touch, ${file}]`
]

/** A compose file that says the same in each place that is no command. */
const compose = (evil: string): object => ({
  name: evil,
  [evil]: evil,
  services: {
    built: {build: {context: evil, dockerfile: evil}, image: evil, ports: ['80:80'], [evil]: evil},
    plain: {build: '.', container_name: evil},
    [evil]: {image: evil, depends_on: [evil, 'none'], extends: {service: evil, file: evil}},
    all: {
      image: evil,
      container_name: evil,
      environment: {[evil]: evil, A: evil},
      env_file: evil,
      user: evil,
      working_dir: evil,
      hostname: evil,
      volumes: [evil, {source: evil, target: evil}],
      ports: [evil, {published: evil, target: evil}],
      extra_hosts: {[evil]: evil},
      network_mode: evil,
      command: evil,
      entrypoint: evil,
      stop_signal: evil,
      restart: evil,
      profiles: [evil],
      healthcheck: {test: ['CMD', evil]}
    }
  }
})

const processCompose = (evil: string): object => ({
  [evil]: evil,
  processes: {
    [evil]: {command: 'true', description: evil, working_dir: evil, environment: {A: evil}, [evil]: evil},
    a: {command: 'true', depends_on: {[evil]: {condition: evil}}, ready_log_line: evil, namespace: evil}
  }
})

/** Every line break that some reader of YAML knows. */
const BREAKS = /[\r\u0085\u2028\u2029]/g

/** A folder with a program `bin/docker`; not a fixture of tap, which has one for each test. */
function withDocker(test: Test, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
  test.teardown(() => rmSync(folder, {recursive: true}))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/docker'), `#!/bin/sh\n${script}\n`, {mode: 0o755})
  return folder
}

/** Runs what a template starts, with a `docker` that does nothing. */
function runAll({template}: Written, folder: string): void {
  const env = {PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`}
  for (const {command, ready} of template.apps)
    for (const words of [command, (ready as {command?: unknown} | undefined)?.command]) {
      const [program = '', ...args] = (words ?? []) as string[]
      if (['docker', 'sh', 'bash'].includes(program)) spawnSync(program, args, {cwd: folder, env, stdio: 'ignore'})
    }
}

t.test('a file that is imported runs nothing but its commands, whatever is in it', async t => {
  const folder = withDocker(t, 'exit 0')
  const touched = join(folder, 'touched')
  for (const [way, evil] of waysOut(touched).entries()) {
    const cases: readonly Files[] = [
      {'compose.yaml': JSON.stringify(compose(evil)), Dockerfile: 'FROM nginx\n'},
      {'process-compose.yaml': JSON.stringify(processCompose(evil))},
      {Procfile: `web: true\n${evil.replaceAll('\n', ' ')}\n`},
      {[`web ${evil.replaceAll('/', '-')}`]: {'package.json': '{"scripts": {}}', 'main.go': 'package main'}}
    ]
    for (const files of cases) {
      const written = await imported(t, files)
      runAll(written, folder)
      t.notOk(existsSync(touched), `case ${cases.indexOf(files)} of way ${way}`)
      t.strictSame(written.template, parse(written.text.replaceAll(BREAKS, '\n')), 'for every reader')
      t.notOk(
        written.template.apps.some(({command}) => Array.isArray(command) && command[0] === 'touch'),
        'no value and no comment became a key'
      )
    }
  }
})

t.test('a service that is built: what the file says are arguments', async t => {
  const folder = withDocker(t, 'for word; do echo "[$word]" >> "$SEEN"; done')
  const {template} = await imported(t, {
    'compose.yaml': `services: {web: {build: {context: "it's", dockerfile: 'a "b"'}, image: "x:$$y"}}`
  })
  const [program = '', ...args] = (template.apps[0]?.['command'] ?? []) as string[]
  const seen = join(folder, 'seen')
  const env = {PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`, SEEN: seen}
  t.equal(spawnSync(program, args, {cwd: folder, env}).status, 0)
  const built = `[build]\n[--quiet]\n[--tag]\n[x:$y]\n[--file]\n[./it's/a "b"]\n[./it's]\n`
  t.equal(readFileSync(seen, 'utf8'), `${built}[run]\n[--rm]\n[--name]\n[shop-web]\n[x:$y]\n`)
})

t.test('many variables in a mount, and a default that does not end, are read at once', async t => {
  const many = '${A}'.repeat(60)
  const {template} = await imported(t, {
    'compose.yaml': JSON.stringify({
      services: {
        a: {
          image: 'x',
          volumes: [many, `${many}:/x\ny`],
          command: `\${A:-${' '.repeat(100_000)}`,
          ports: ['${'.repeat(100_000)]
        }
      }
    }),
    'compose.override.yaml': JSON.stringify({services: {a: {volumes: [many]}}})
  })
  t.match(template.apps, [{appID: 'a'}])
})

t.test('long words and lines of commands, settings and generated code are read at once', async t => {
  const pieces = [
    'a',
    'A_',
    'a.b-',
    '_PORT ',
    '--listen-',
    'wait-for-',
    '${A:-',
    '= "',
    'http://',
    '1:',
    'curl ',
    '\t',
    '("'
  ]
  const lines = pieces.map(piece => piece.repeat(Math.ceil(25_000 / piece.length)))
  const {template} = await imported(t, {
    Procfile: lines.map((line, at) => `p${at}: node a.js ${line}\n`).join(''),
    'a.js': lines.join('\n'),
    '.env': lines.map((line, at) => `V${at}=${line}\n`).join('')
  })
  t.equal(template.apps.length, lines.length)
  const {template: folder} = await imported(t, {
    'package.json': '{"scripts": {"start": "node a.js"}}',
    'a.js': `${lines.join('\n')}\n.listen(4000)`,
    'config.json': lines.join('\n')
  })
  t.match(folder.apps, [{port: 4000}])
})
