// `--native`: a database that a compose file runs as a container becomes a program, where the machine has it (docs/databases-and-one-shot-apps.md).
import {delimiter, join} from 'node:path'
import {variablesOfFiles} from './environment.ts'
import {commandWords, folderOfStack, leftOver, publishedPort, sharedKeys, type Service, type Stack} from './service.ts'
import type {ImportedApp} from '../imported.ts'
import {entriesOf, isFile} from '../reading/files.ts'
import {given, listedValues, mapOf, mountTarget, textValue, variablePairs, type Values} from '../reading/yaml-file.ts'

/** The machine's PATH, and whether this is root, as whom some servers refuse to run. */
export interface NativePrograms {
  readonly searchPath: string
  readonly isRoot: boolean
}

/** How a server is started as a program; its data are in `data` of its folder, where each script starts. */
interface Server {
  /** The name of the program. */
  readonly name: string
  readonly image: RegExp
  /** Programs that must be there, the server itself first. */
  readonly programs: readonly string[]
  readonly refusesRoot?: boolean
  /** The programs that packages put into PATH ask for the user of the system's service: those elsewhere are used. */
  readonly isOutsidePath?: boolean
  /** The words behind the script, which reads them as `"$1"` …; why it stays a container, if it is a text. */
  readonly words?: (env: Readonly<Record<string, string>>, args: readonly string[]) => readonly string[] | string
  readonly script: string
  /** A shell's command that asks whether it is ready; its port answers for the others. */
  readonly ready?: string
  readonly stop?: Values
}

/** A name or password in a statement of SQL; `${NAME}` is replaced when the run starts. */
const PLAIN = /^(?:[\w.@%+=!#^*:,-]|\$\{\w+(?::?[-?][^}'"`\\]*)?\})*$/

const firstOdd = (words: readonly string[]): string | undefined => words.find(word => !PLAIN.test(word))

/** Flags of a server, none of which names a file or a port. */
const arePlainFlags = (args: readonly string[]): boolean =>
  args.every(arg => !/^--?(?:port|bind|dir|datadir|data-dir|config|conf)\b|\/|\.conf$/.test(arg))

const ODD_COMMAND = 'its command names files or ports of the container'

const withoutUsers =
  (variable: RegExp): NonNullable<Server['words']> =>
  (env, args) =>
    Object.keys(env).some(name => variable.test(name)) ? 'its image makes users' : args.length > 0 ? ODD_COMMAND : []

const MYSQL_WORDS: Server['words'] = (env, args) => {
  const of = (name: string): string => env[`MYSQL_${name}`] ?? env[`MARIADB_${name}`] ?? ''
  const words = [of('ROOT_PASSWORD'), of('DATABASE'), of('USER'), of('PASSWORD')]
  if (args.length > 0) return ODD_COMMAND
  return firstOdd(words) === undefined ? words : 'a name or password in its environment needs quotes of SQL'
}

/** Users and database are made at each start, where they are not there. */
const MYSQL_USERS = String.raw`{ [ -z "$2" ] || printf 'CREATE DATABASE IF NOT EXISTS ${'`'}%s${'`'};\n' "$2"; [ -z "$3" ] || printf "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO '%s'@'%%';\n" "$3" "$4" "$3"; printf "CREATE USER IF NOT EXISTS 'root'@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO 'root'@'%%' WITH GRANT OPTION;\nALTER USER 'root'@'localhost' IDENTIFIED BY '%s';\n" "$1" "$1"; } > init.sql && `

const SERVERS: readonly Server[] = [
  {
    name: 'PostgreSQL',
    image: /(?:^|\/)postgres$/,
    programs: ['postgres', 'initdb'],
    refusesRoot: true,
    words: (env, args) => {
      const user = env['POSTGRES_USER'] || 'postgres'
      const words = [user, env['POSTGRES_DB'] || user]
      if (args.length > 0 && !(args[0] === 'postgres' && arePlainFlags(args))) return ODD_COMMAND
      if (firstOdd(words) !== undefined) return 'the name of its user or database needs quotes of SQL'
      return [...words, ...args.slice(1)]
    },
    script:
      'user=$1 db=$2; shift 2; [ -d data ] || { rm -rf new && initdb -D new -U "$user" -A trust -E UTF8 --no-sync >/dev/null && { [ "$db" = postgres ] || printf \'CREATE DATABASE "%s"\\n\' "$db" | postgres --single -D new postgres >/dev/null; } && mv new data; } && exec postgres -D data -h 127.0.0.1 -p "$APP_PORT" -k \'\' "$@"',
    ready: 'pg_isready -h 127.0.0.1 -p "$APP_PORT"',
    stop: {signal: 'SIGINT'}
  },
  {
    name: 'Redis',
    image: /(?:^|\/)redis$/,
    programs: ['redis-server', 'redis-cli'],
    words: (_, args) =>
      args.length === 0 || (args[0] === 'redis-server' && arePlainFlags(args)) ? args.slice(1) : ODD_COMMAND,
    script: 'mkdir -p data && exec redis-server --bind 127.0.0.1 --port "$APP_PORT" --dir data --appendonly yes "$@"',
    ready: 'redis-cli -p "$APP_PORT" ping'
  },
  {
    name: 'MariaDB',
    image: /(?:^|\/)mariadb$/,
    programs: ['mariadbd', 'mariadb-install-db', 'mariadb-admin'],
    refusesRoot: true,
    words: MYSQL_WORDS,
    script: `[ -d data ] || { rm -rf new && mariadb-install-db --no-defaults --datadir="$PWD/new" --auth-root-authentication-method=normal --skip-test-db >/dev/null && mv new data; } && ${MYSQL_USERS}exec mariadbd --no-defaults --datadir="$PWD/data" --bind-address=127.0.0.1 --port="$APP_PORT" --socket="\${TMPDIR:-/tmp}/my-$APP_PORT.sock" --init-file="$PWD/init.sql"`,
    ready: 'mariadb-admin --no-defaults -h 127.0.0.1 -P "$APP_PORT" -u root ping',
    stop: {timeout: '30s'}
  },
  {
    name: 'MySQL',
    image: /(?:^|\/)mysql$/,
    programs: ['mysqld', 'mysqladmin'],
    refusesRoot: true,
    words: MYSQL_WORDS,
    script: `[ -d data ] || { rm -rf new && mysqld --initialize-insecure --datadir="$PWD/new" && mv new data; } && ${MYSQL_USERS}exec mysqld --datadir="$PWD/data" --bind-address=127.0.0.1 --port="$APP_PORT" --mysqlx=OFF --socket="\${TMPDIR:-/tmp}/my-$APP_PORT.sock" --init-file="$PWD/init.sql"`,
    ready: 'mysqladmin -h 127.0.0.1 -P "$APP_PORT" -u root ping',
    stop: {timeout: '30s'}
  },
  {
    name: 'MongoDB',
    image: /(?:^|\/)mongo$/,
    programs: ['mongod'],
    words: withoutUsers(/^MONGO_INITDB_ROOT_USERNAME$/),
    script: 'mkdir -p data && exec mongod --dbpath data --port "$APP_PORT" --bind_ip 127.0.0.1'
  },
  {
    name: 'RabbitMQ',
    image: /(?:^|\/)rabbitmq$/,
    programs: ['rabbitmq-server'],
    refusesRoot: true,
    isOutsidePath: true,
    words: withoutUsers(/^RABBITMQ_/),
    script:
      'mkdir -p data && RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$APP_PORT" RABBITMQ_DIST_PORT="$((APP_PORT + 20000))" RABBITMQ_NODENAME="rabbit$APP_PORT@localhost" RABBITMQ_MNESIA_BASE="$PWD/data" RABBITMQ_LOG_BASE="$PWD/data" RABBITMQ_LOGS=- RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$PWD/data/rabbitmq" RABBITMQ_ENABLED_PLUGINS_FILE="$PWD/data/plugins" exec rabbitmq-server',
    stop: {timeout: '30s'}
  },
  {
    name: 'NATS',
    image: /(?:^|\/)nats$/,
    programs: ['nats-server'],
    words: (_, args) => (args.every(arg => /^(?:nats-server|-js|--?jetstream)$/.test(arg)) ? [] : ODD_COMMAND),
    script: 'exec nats-server -a 127.0.0.1 -p "$APP_PORT" -js -sd data'
  }
]

/** Folders of packages with servers outside of PATH; the newest version first. */
const OUTSIDE_PATH = '/usr/lib/postgresql /opt/homebrew/opt /usr/local/opt /usr/lib/rabbitmq'.split(' ')

/** The server of a service as a program; a text: why it stays a container. */
export function nativeServer(service: Service, stack: Stack, native: NativePrograms): ImportedApp | string {
  const {id, values} = service
  const image = textValue(values['image'])
  const name = image.replace(/@sha256:.*$/, '').replace(/:[^/]*$/, '')
  const server = SERVERS.find(each => each.image.test(name))
  if (server === undefined) return `no program is known for the image ${image || 'that is built'}`
  if (!/^\w[\w.-]*$/.test(id)) return 'its name cannot be that of a folder'
  if ('build' in values || 'entrypoint' in values) return 'its image starts in a way of its own'
  if (server.refusesRoot === true && native.isRoot) return `${server.name} does not run as root`
  const mounts = listedValues(values['volumes']).map(mountTarget)
  const config = mounts.find(target => /initdb\.d|\/etc\/|\.(?:conf|cnf|json|ya?ml)$/.test(target))
  if (config !== undefined) return `its container reads ${config}`
  const folders = programFolders(server, native.searchPath)
  if (typeof folders === 'string') return `there is no ${folders} here`
  if (server.name === 'MySQL' && isMariaDb(native.searchPath)) return 'mysqld of this machine is that of MariaDB'
  const ofFiles = variablesOfFiles(service, stack)
  const env = {...ofFiles, ...variablePairs(values['environment'])}
  const words = server.words?.(env, commandWords(values['command'])) ?? []
  if (typeof words === 'string') return words
  const secret = Object.entries(ofFiles).find(
    ([variable, value]) => /^M\w+_PASSWORD$/.test(variable) && value !== '' && words.includes(value)
  )
  if (secret !== undefined) return `${secret[0]} of its env file would be written into the template`
  const port = publishedPort(service, stack.file)
  const path = folders.map(folder => `${folder}:`).join('')
  const prefix = path === '' ? '' : `PATH="${path}$PATH"; `
  const notes: string[] = [
    ...service.notes,
    `${server.name} of this machine in place of ${image}; its data are in ${id}/data, empty at first: a line for .gitignore`
  ]
  const {stop, ...shared} = sharedKeys(service, stack, notes)
  return {
    id,
    folder: folderOfStack(stack),
    keys: given({
      appPort: port,
      command: ['sh', '-c', `mkdir -p "$0" && cd "$0" && ${prefix}${server.script}`, id, ...words],
      ...shared,
      ready: server.ready === undefined ? undefined : {command: ['sh', '-c', `${prefix}${server.ready}`]},
      stop: server.stop === undefined ? stop : {...server.stop, ...mapOf(stop)}
    }),
    hasOwnData: true,
    notes: [...notes, ...leftOver(service, ['user', 'shm_size'])]
  }
}

/** Whether it is MariaDB, whose packages have the names of MySQL's programs, too. */
const isMariaDb = (searchPath: string): boolean =>
  searchPath.split(delimiter).some(folder => isFile(join(folder, 'mysqld')) && isFile(join(folder, 'mariadbd')))

/** Folders outside of PATH that have some of these programs; a text: the first that is nowhere. */
function programFolders({programs, isOutsidePath}: Server, searchPath: string): readonly string[] | string {
  const inPath = searchPath.split(delimiter).filter(folder => folder.startsWith('/'))
  const outside = OUTSIDE_PATH.flatMap(folder => [
    join(folder, 'bin'),
    ...entriesOf(folder)
      .toSorted((a, b) => b.localeCompare(a, 'en', {numeric: true}))
      .map(each => join(folder, each, 'bin'))
  ])
  const found = new Set<string>()
  for (const program of programs) {
    const isInPath = inPath.some(folder => isFile(join(folder, program)))
    if (isInPath && isOutsidePath !== true) continue
    const folder = outside.find(each => isFile(join(each, program)))
    if (folder !== undefined) found.add(folder)
    else if (!isInPath) return program
  }
  return [...found]
}
