import {spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {importFrom} from '../../src/packages/import/import-template.ts'
import {freePort} from '../rig/free-port.ts'
import {limitAlone} from '../rig/limit.ts'
import {missing} from '../rig/missing.ts'

await limitAlone()

/** Some of these refuse to be root. */
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const id = NOBODY.toString()
const asUser = isRoot ? ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups'] : []

interface Case {
  readonly image: string
  readonly service: object
  /** What a client asks, and what it gets; the first one writes what the second one reads. */
  readonly ask: (port: string) => readonly (readonly string[])[]
  readonly answer: RegExp
  readonly needs: string
}

const pg = (port: string, sql: string): readonly string[] => [
  'psql',
  '-X',
  '-A',
  '-t',
  '-q',
  `postgres://shop:any@127.0.0.1:${port}/orders-db`,
  '-c',
  sql
]
const sql = (port: string, text: string): readonly string[] => [
  'mariadb',
  '--no-defaults',
  '-h',
  '127.0.0.1',
  '-P',
  port,
  '-u',
  'shop',
  '--password=s3cret!',
  'orders',
  '-N',
  '-e',
  text
]

const CASES: readonly Case[] = [
  {
    image: 'postgres:17',
    service: {
      environment: {POSTGRES_USER: 'shop', POSTGRES_DB: 'orders-db', POSTGRES_PASSWORD: 'x'},
      command: 'postgres -c max_connections=20'
    },
    ask: port => [pg(port, 'create table t as select 41 + 1'), pg(port, 'table t; show max_connections')],
    answer: /^42\n20\n$/,
    needs: 'initdb'
  },
  {
    image: 'mariadb:11',
    service: {
      environment: {
        MARIADB_ROOT_PASSWORD: 'root!',
        MARIADB_DATABASE: 'orders',
        MARIADB_USER: 'shop',
        MARIADB_PASSWORD: 's3cret!'
      }
    },
    ask: port => [sql(port, 'create table t as select 41 + 1 as a'), sql(port, 'select * from t')],
    answer: /^42\n$/,
    needs: 'mariadbd'
  },
  {
    image: 'redis:7',
    service: {command: 'redis-server --requirepass s3cret'},
    ask: port => [
      ['redis-cli', '-p', port, '-a', 's3cret', 'set', 'a', '42'],
      ['redis-cli', '-p', port, '-a', 's3cret', 'get', 'a']
    ],
    answer: /^42\n$/,
    needs: 'redis-server'
  },
  {
    image: 'rabbitmq:3-management',
    service: {},
    ask: port => [
      [
        'bash',
        '-c',
        `set -e; exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'AMQP\\0\\0\\11\\1' >&3; head -c 40 <&3 | tr -dc 'a-z_'`
      ]
    ],
    answer: /capabilities/,
    needs: '/usr/lib/rabbitmq/bin/rabbitmq-server'
  }
]

const isThere = (program: string): boolean => spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0

t.test('import --native: servers of this machine keep their data', async t => {
  for (const {image, service, ask, answer, needs} of CASES)
    await t.test(image, {skip: !isThere(needs) && missing(needs)}, async t => {
      const folder = mkdtempSync('/tmp/native-')
      t.teardown(() => rmSync(folder, {recursive: true, force: true}))
      chmodSync(folder, 0o777)
      writeFileSync(join(folder, 'compose.yaml'), JSON.stringify({services: {'my-db': {image, ...service}}}))
      const {imported} = await importFrom(['compose.yaml'], {
        cwd: folder,
        native: {searchPath: process.env['PATH'] ?? '', isRoot: false}
      })
      const {command, ready} = imported.apps[0]?.keys ?? {}
      t.match(command, ['sh', '-c', String, 'my-db'], imported.apps[0]?.notes.join() ?? '')
      const port = (await freePort()).toString()
      const asking = (ready as {command: string[]} | undefined)?.command ?? ask(port)[0] ?? []
      const turns = ask(port).length
      for (let turn = 0; turn < turns; turn++) {
        const server = await started(t, command as string[], {folder, port, asking})
        const [program = '', ...args] = ask(port)[turn] ?? []
        const {stdout, stderr} = spawnSync(program, args, {encoding: 'utf8', timeout: 20_000})
        if (turn === turns - 1) t.match(stdout, answer, stderr)
        server.kill('SIGINT')
        server.kill('SIGTERM')
        await once(server, 'exit')
      }
    })
})

interface Starting {
  readonly folder: string
  readonly port: string
  readonly asking: readonly string[]
}

/** The server, once it is ready. */
async function started(t: Test, command: readonly string[], {folder, port, asking}: Starting): Promise<ChildProcess> {
  const env = {PATH: process.env['PATH'], HOME: folder, APP_PORT: port}
  const [program = '', ...args] = [...asUser, ...command]
  const server = spawn(program, args, {cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true})
  t.teardown(
    () => server.exitCode === null && server.signalCode === null && process.kill(-(server.pid ?? 0), 'SIGKILL')
  )
  let said = ''
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (text: Buffer) => (said += text.toString()))
  const [asker = '', ...words] = asking
  while (spawnSync(asker, words, {cwd: folder, env, timeout: 5000}).status !== 0) {
    if (server.exitCode !== null) throw new Error(`${command.join(' ')} has ended:\n${said}`)
    await pause(100)
  }
  return server
}
