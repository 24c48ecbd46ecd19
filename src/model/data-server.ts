import type {AppPlan} from './plan.ts'

/** Databases, brokers and mail catchers: they run no code of their folder, and know nothing of Dapr. */
const SERVERS =
  'postgres|postmaster|redis-server|valkey-server|memcached|mongod|mysqld|mariadbd|rabbitmq-server|nats-server|mosquitto|etcd|minio|mailpit|mailhog|maildev'

/** Programs that ask such a server whether it is ready: the app is one, whatever script starts it. */
const PROBES = 'pg_isready|redis-cli|valkey-cli|mysqladmin|mariadb-admin|mongosh|rabbitmq-diagnostics|rabbitmqctl'

/** Images that containers of such servers are made of, as a word that no flag takes for a name. */
const IMAGES =
  /(?<!--(?:hostname|link|name|net|network|network-alias|volumes-from))\s(?:[\w.-]+(?::\d+)?\/)*(?:postgres|postgis|redis|valkey|memcached|mongo|mysql|mariadb|rabbitmq|nats|eclipse-mosquitto|etcd|minio|mailpit|mailhog|maildev)(?::[\w.-]+)?(?=\s|$)/

/** What may precede a program: nothing, what separates commands, variables, and programs that start another one. */
const BEFORE = String.raw`(?:^|[;&|{(\n]\s*|\bexec\s+|(?<![\w.-])(?:nice|then|else|do|nohup|setsid|time|env|sudo|tini(?:\s+--)?|(?:ba)?sh|(?:gosu|su-exec|timeout|sudo\s+-u)\s+\S+)\s+)(?:\w+=\S*\s+)*`
/** A program, with or without its path, or in a `bin`. Other words may end as paths do: URLs of databases. */
const AS_PROGRAM = String.raw`(?:${BEFORE}(?:[^\s:=]*\/)?|\s[^\s:=]*bin(?:dir\))?\/)`
const started = (names: string): RegExp => new RegExp(String.raw`${AS_PROGRAM}(?:${names})(?=\s|$)`, 'i')

const STARTS_SERVER = started(SERVERS)
const ASKS_SERVER = started(PROBES)
const WITHOUT_SHELL = /^(?:\S*\/)?(?:ba|da|z)?sh -\w*c /

const textOf = (command: readonly string[]): string => command.join(' ').replace(WITHOUT_SHELL, '')

/** Whether an app is a database, a broker or the like, by its command and by what asks whether it is ready. */
export function isDataServer({command, ready}: Pick<AppPlan, 'command' | 'ready'>): boolean {
  const text = textOf(command)
  if (ready.kind === 'command' && ASKS_SERVER.test(textOf(ready.command))) return true
  if (/^(?:\S*\/)?(?:docker|podman|nerdctl)$/.test(command[0] ?? '')) return IMAGES.test(text)
  return STARTS_SERVER.test(text)
}
