import type {AppPlan} from '../../model/plan.ts'
import {programsIn, type StartedProgram} from './programs.ts'

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Databases, brokers and mail catchers: programs without code in their folder, which do not speak Dapr. */
const SERVERS = wordsOf(
  'postgres postmaster redis-server valkey-server memcached mongod mysqld mariadbd rabbitmq-server nats-server mosquitto etcd minio mailpit mailhog maildev'
)
/** Programs that check a data server. An app whose readiness they check is a data server, whatever its command. */
const PROBES = wordsOf(
  'pg_isready redis-cli valkey-cli mysqladmin mariadb-admin mongosh rabbitmq-diagnostics rabbitmqctl'
)
/** Programs that start containers. */
export const ENGINES = wordsOf('docker docker-compose podman podman-compose nerdctl')
/** Images of such servers, as a separate word of a command. */
const IMAGES =
  /(?<!--(?:hostname|link|name|net|network|network-alias|volumes-from))\s(?:[\w.-]+(?::\d+)?\/)*(?:postgres|postgis|redis|valkey|memcached|mongo|mysql|mariadb|rabbitmq|nats|eclipse-mosquitto|etcd|minio|mailpit|mailhog|maildev)(?::[\w.-]+)?(?=\s|$)/
/** Programs that follow a server to pass on its lines, to wait for its end, or to set it up. */
const FOLLOWERS = wordsOf(
  'tee cat sed grep awk ts jq head tail logger wait fg sleep kill trap echo printf true exit rm psql createdb mysql mc'
)

/** Whether an app is a database, a broker or the like, by its last program and by its check for readiness. */
export function isDataServer({command, folder, ready}: Pick<AppPlan, 'command' | 'folder' | 'ready'>): boolean {
  const asks = ready.kind === 'command' ? programsIn(ready.command, folder) : []
  if (asks.some(({name}) => PROBES.has(name))) return true
  const {name, args} = programThatStays(programsIn(command, folder))
  return ENGINES.has(name) ? IMAGES.test([name, ...args].join(' ')) : SERVERS.has(name.toLowerCase())
}

/** Returns the program that a command runs until its end: the last one that is not a helper such as `tee` or `sleep`. */
export const programThatStays = (programs: readonly StartedProgram[]): StartedProgram =>
  programs.findLast(({name}) => !FOLLOWERS.has(name) && !PROBES.has(name)) ?? {name: '', args: []}
