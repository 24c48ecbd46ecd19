import {isInside} from '../model/glob.ts'
import type {ImpliedWatch} from './app.ts'
import {EVERYTHING} from './lifecycle.ts'
import {programsIn} from './programs.ts'
import {selfReloader} from './self-reloader.ts'

/** Programs that start containers. */
const ENGINES = new Set(['docker', 'docker-compose', 'podman', 'podman-compose', 'nerdctl'])

/** Servers that run no code of the folder they are started in. */
const SERVERS = new Set([
  'postgres',
  'redis-server',
  'valkey-server',
  'memcached',
  'mongod',
  'mysqld',
  'mariadbd',
  'rabbitmq-server',
  'nats-server',
  'mosquitto',
  'etcd',
  'minio'
])

/** Whether a command runs nothing that a save could change: a database, or a container whose image is not built here. */
function runsNoCode(command: readonly string[], folder: string): boolean {
  const programs = programsIn(command, folder)
  const last = programs.at(-1)
  if (last === undefined) return false
  const builds = programs.some(({name, args}) => ENGINES.has(name) && args.some(word => /^(build|--build)$/.test(word)))
  return SERVERS.has(last.name) || (ENGINES.has(last.name) && !builds)
}

/**
 * What `--watch` watches of an app whose template does not say: nothing of a database, a container, or what reloads itself,
 * no folders of other apps inside its own, and nothing more once it has finished, if it is there to run once.
 */
export const impliedWatch: ImpliedWatch = ({settings, plan}, {entries, dependencies}) => {
  const {watch, folder, command, id, channel} = plan
  if (settings.values.watch !== undefined) return {watch}
  const reloadsItself = selfReloader(command, folder)
  if (reloadsItself !== '' || runsNoCode(command, folder)) return {watch, reloadsItself}
  const others = new Set(entries.map(each => each.plan.folder).filter(other => other !== folder))
  const inside = [...others].filter(other => isInside(other, folder))
  const isAwaited = dependencies.some(each => each.id === id && each.until === 'completed')
  const runsOnce = isAwaited || (!channel.autoPort && channel.port === 0)
  return {watch: {...EVERYTHING, ...(inside.length > 0 && {others: inside}), ...(runsOnce && {untilFinished: true})}}
}
