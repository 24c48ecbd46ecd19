import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {imported, type Written} from '../read.ts'

/** A machine that has these programs, and its PATH. */
function machine(test: Test, ...programs: readonly string[]): {readonly searchPath: string; readonly isRoot: false} {
  const folder = mkdtempSync(join(tmpdir(), 'native-'))
  test.teardown(() => rmSync(folder, {recursive: true}))
  mkdirSync(join(folder, 'bin'))
  for (const name of programs) {
    writeFileSync(join(folder, 'bin', name), '')
    chmodSync(join(folder, 'bin', name), 0o755)
  }
  return {searchPath: join(folder, 'bin'), isRoot: false}
}

const read = async (test: Test, services: object, ...programs: readonly string[]): Promise<Written> =>
  imported(test, {'compose.yaml': JSON.stringify({services})}, '.', undefined, {native: machine(test, ...programs)})

t.test(
  '--native: a database becomes a program where the machine has it, and others call it where they did',
  async t => {
    const {template, notes} = await read(
      t,
      {
        cache: {image: 'redis:7-alpine', ports: ['6400:6379'], command: 'redis-server --save 60 1', profiles: ['all']},
        bus: {image: 'nats:2', command: '-js'},
        web: {
          image: 'shop/web',
          environment: {CACHE: 'redis://cache:6379'},
          depends_on: {cache: {condition: 'service_healthy'}}
        }
      },
      'redis-server',
      'redis-cli',
      'nats-server'
    )
    t.match(template.apps, [
      {
        appID: 'cache',
        appDirPath: '.',
        appPort: 6400,
        command: ['sh', '-c', /^mkdir -p "\$0" && cd "\$0" && .*exec redis-server /, 'cache', '--save', '60', '1'],
        ready: {command: ['sh', '-c', 'redis-cli -p "$APP_PORT" ping']},
        profiles: ['all']
      },
      {appID: 'bus', appPort: 4222, command: ['sh', '-c', /exec nats-server/, 'bus']},
      {env: {CACHE: 'redis://host.docker.internal:6400'}, dependsOn: {cache: 'ready'}}
    ])
    t.match(notes.join('\n'), /Redis of this machine in place of redis:7-alpine; its data are in cache\/data/)
    t.match(notes.join('\n'), /--native: it stays a container: no program is known for the image shop\/web/)
  }
)

/** Services that stay containers, on a machine with all programs, and why. */
const STAY: readonly (readonly [object, RegExp])[] = [
  [{image: 'redis', entrypoint: 'x'}, /its image starts in a way of its own/],
  [{image: 'redis', command: 'redis-server /usr/local/etc/redis.conf'}, /its command names files or ports/],
  [{image: 'redis', volumes: ['./redis.conf:/etc/redis/redis.conf']}, /its container reads \/etc\/redis\/redis\.conf/],
  [
    {image: 'postgres', volumes: ['./init:/docker-entrypoint-initdb.d']},
    /its container reads \/docker-entrypoint-initdb\.d/
  ],
  [{image: 'postgres', environment: {POSTGRES_USER: 'a"; DROP TABLE b; --'}}, /needs quotes of SQL/],
  [{image: 'mariadb', environment: {MYSQL_PASSWORD: `a' OR 'b`}}, /needs quotes of SQL/],
  [{image: 'mongo', environment: {MONGO_INITDB_ROOT_USERNAME: 'root'}}, /its image makes users/],
  [{image: 'rabbitmq:3', environment: {RABBITMQ_DEFAULT_USER: 'me'}}, /its image makes users/],
  [{image: 'postgis/postgis'}, /no program is known for the image postgis\/postgis/],
  [{image: 'mysql:8'}, /mysqld of this machine is that of MariaDB/]
]

t.test('--native: what a program would do in another way stays a container, with the reason', async t => {
  const all =
    'redis-server redis-cli postgres initdb mariadbd mariadb-install-db mariadb-admin mysqld mysqladmin mongod rabbitmq-server'
  for (const [service, why] of STAY) {
    const {template, notes} = await read(t, {db: service}, ...all.split(' '))
    t.match(template.apps, [{command: ['docker', 'run']}], JSON.stringify(service))
    t.match(
      notes.find(note => note.startsWith('--native: it stays a container: ')),
      why
    )
  }
  const {notes} = await read(t, {db: {image: 'redis'}}, 'redis-server')
  t.match(notes.join(), /it stays a container: there is no redis-cli here/)
  const asRoot = {...machine(t, 'postgres', 'initdb'), isRoot: true}
  const files = {'compose.yaml': '{services: {db: {image: postgres}}}'}
  const written = await imported(t, files, '.', undefined, {native: asRoot})
  t.match(written.notes.join(), /PostgreSQL does not run as root/)
})

t.test('--native: users and databases of an env file count, and a password of one is not written down', async t => {
  const files = {
    'compose.yaml': 'services: {db: {image: postgres, env_file: db.env}, old: {image: mariadb, env_file: old.env}}',
    'db.env': 'POSTGRES_USER=shop\nPOSTGRES_PASSWORD=secret\nPOSTGRES_DB=orders\n',
    'old.env': 'MARIADB_USER=shop\nMARIADB_PASSWORD=hidden\n'
  }
  const programs = ['postgres', 'initdb', 'mariadbd', 'mariadb-install-db', 'mariadb-admin']
  const {template, notes, text} = await imported(t, files, '.', undefined, {native: machine(t, ...programs)})
  const [db, old] = template.apps as readonly {readonly command: readonly string[]}[]
  t.strictSame(db?.command.slice(3), ['db', 'shop', 'orders'])
  t.strictSame(old?.command.slice(0, 2), ['docker', 'run'])
  t.match(notes.join('\n'), /MARIADB_PASSWORD of its env file would be written into the template/)
  t.notMatch(text, /hidden|secret/)
})

t.test('--native: what the file says of a stop comes before what its server needs', async t => {
  const files = {
    'compose.yaml':
      'services: {db: {image: postgres, stop_grace_period: 1m}, old: {image: mariadb, stop_grace_period: 2m, stop_signal: SIGQUIT}, cache: {image: mariadb}}'
  }
  const programs = ['postgres', 'initdb', 'mariadbd', 'mariadb-install-db', 'mariadb-admin']
  const {template} = await imported(t, files, '.', undefined, {native: machine(t, ...programs)})
  t.match(template.apps, [
    {stop: {signal: 'SIGINT', timeout: '1m'}},
    {stop: {signal: 'SIGQUIT', timeout: '2m'}},
    {stop: {timeout: '30s'}}
  ])
})
