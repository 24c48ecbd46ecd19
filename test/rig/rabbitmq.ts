import {spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {freePorts} from './free-port.ts'
import {missing} from './missing.ts'
import {tie} from './tie.ts'
import {TLS} from './tls.ts'

/** A RabbitMQ of this machine. */
export interface RealRabbit {
  readonly url: string
  /** The same by TLS; clients need a certificate. */
  readonly tlsUrl: string
  /** Kills it; `start` brings it back at the same port, with what is durable. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

/** The scripts of a package: those in PATH ask for the user of the service. */
const SERVER = ['/usr/lib/rabbitmq/bin/rabbitmq-server', '/opt/homebrew/sbin/rabbitmq-server'].find(existsSync)

/** Why a test that needs RabbitMQ is skipped. */
export const skipWithoutRabbit =
  SERVER !== undefined && spawnSync('epmd', ['-names']).error === undefined ? false : missing('RabbitMQ')

const urlOf = (scheme: string, port: number): string => `${scheme}://guest:guest@127.0.0.1:${port}`

/** Starts RabbitMQ for a test, with a port mapper of its own. */
export async function realRabbit(t: {teardown(end: () => unknown): void}): Promise<RealRabbit> {
  const [port = 0, tlsPort = 0, distribution = 0, mapper = 0] = await freePorts(4)
  const folder = mkdtempSync('/tmp/rabbitmq-')
  writeFileSync(join(folder, 'plugins'), '[].')
  const config = {
    'listeners.ssl.1': `127.0.0.1:${tlsPort}`,
    'ssl_options.cacertfile': join(TLS, 'ca.pem'),
    'ssl_options.certfile': join(TLS, 'server.pem'),
    'ssl_options.keyfile': join(TLS, 'server.key'),
    'ssl_options.verify': 'verify_peer',
    'ssl_options.fail_if_no_peer_cert': 'true'
  }
  const lines = Object.entries(config).map(([key, value]) => `${key} = ${value}\n`)
  writeFileSync(join(folder, 'rabbitmq.conf'), lines.join(''))
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: mapper.toString(),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_DIST_PORT: distribution.toString(),
    RABBITMQ_LOGS: '-',
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_NODENAME: `test${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: port.toString()
  }
  const epmd = spawn('epmd', ['-port', mapper.toString(), '-address', '127.0.0.1'], {stdio: 'ignore'})
  tie(epmd, folder)
  let server: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    // the scripts around it, too
    process.kill(-server.pid, 'SIGKILL')
    await exited
  }
  const start = async (): Promise<void> => {
    server = spawn(SERVER ?? '', [], {cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'], detached: true})
    tie(server, folder, {detached: true})
    if (server.stdout === null) return
    for await (const line of createInterface(server.stdout)) if (line.includes('Server startup complete')) break
    server.stdout.resume()
  }
  t.teardown(async () => {
    await stop()
    epmd.kill()
    rmSync(folder, {recursive: true, force: true})
  })
  await start()
  return {url: urlOf('amqp', port), tlsUrl: urlOf('amqps', tlsPort), stop, start}
}
