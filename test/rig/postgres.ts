import {spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {freePort} from './free-port.ts'
import {missing} from './missing.ts'
import {tie} from './tie.ts'
import {TLS} from './tls.ts'

/** A PostgreSQL of this machine, with a cluster of its own. */
export interface RealPostgres {
  readonly port: number
  /** A connection string of a new database. */
  readonly database: () => string
  /** What a statement gives: a line for each row, values with | between them. */
  readonly query: (connection: string, sql: string) => string
  /** Ends it at once; `start` brings it back at the same port, with its data. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

/** Why a test that needs PostgreSQL is skipped. */
export const skipWithoutPostgres = ['initdb', 'postgres', 'psql'].every(
  name => spawnSync(name, ['--version']).status === 0
)
  ? false
  : missing('PostgreSQL (initdb, postgres, psql)')

/** PostgreSQL refuses to be root. */
const NOBODY = 65_534
const user = process.getuid?.() === 0 ? {uid: NOBODY, gid: NOBODY} : {}

/** Makes a cluster in a folder, which its server then owns. */
function initialise(data: string): void {
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync']
  mkdirSync(data, {recursive: true})
  chmodSync(data, 0o700)
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid)
  const made = spawnSync('initdb', args, {cwd: '/', encoding: 'utf8', ...user})
  if (made.status !== 0) throw new Error(made.stderr)
}

/** Makes a cluster in a folder, and gives the command that serves it, as a template has it. */
export function postgresCommand(data: string, port: number): readonly string[] {
  initialise(data)
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'shared_buffers=16MB']
  const id = NOBODY.toString()
  return [
    ...(user.uid === undefined ? [] : ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups']),
    'postgres',
    '-D',
    data,
    '-p',
    port.toString(),
    ...settings.flatMap(setting => ['-c', setting])
  ]
}

const query = (connection: string, sql: string): string => {
  const {status, stdout, stderr} = spawnSync('psql', ['-X', '-A', '-t', '-c', sql, connection], {encoding: 'utf8'})
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

/** Starts PostgreSQL for a test; `tls`: it takes connections with and without TLS. */
export async function realPostgres(
  t: {teardown(end: () => unknown): void},
  {tls = false}: {tls?: boolean} = {}
): Promise<RealPostgres> {
  const port = await freePort()
  const folder = mkdtempSync('/tmp/postgres-')
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  initialise(data)
  for (const [from, to] of tls
    ? ([
        ['server.pem', 'server.crt'],
        ['server.key', 'server.key']
      ] as const)
    : []) {
    copyFileSync(join(TLS, from), join(data, to))
    chmodSync(join(data, to), 0o600)
    if (user.uid !== undefined) chownSync(join(data, to), user.uid, user.gid)
  }
  let server: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGQUIT')
    await exited
  }
  const start = async (): Promise<void> => {
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'fsync=off',
      'shared_buffers=16MB',
      `ssl=${tls ? 'on' : 'off'}`
    ]
    const args = ['-D', data, '-p', port.toString(), ...settings.flatMap(setting => ['-c', setting])]
    server = spawn('postgres', args, {cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...user})
    tie(server, folder)
    if (server.stderr === null) return
    for await (const line of createInterface(server.stderr))
      if (line.includes('database system is ready to accept connections')) break
    server.stderr.resume()
  }
  t.teardown(async () => {
    await stop()
    rmSync(folder, {recursive: true, force: true})
  })
  await start()
  const connectionTo = (name: string): string =>
    `host=127.0.0.1 port=${port} user=postgres password='not needed' dbname=${name}`
  let count = 0
  return {
    port,
    query,
    stop,
    start,
    database: () => {
      const name = `test${++count}`
      query(connectionTo('postgres'), `CREATE DATABASE ${name}`)
      return connectionTo(name)
    }
  }
}

/** A table of configuration with the trigger of Dapr's documentation; its channel is `config`. */
export const CONFIGURATION_TABLE = `
  CREATE TABLE settings (key varchar NOT NULL, value varchar NOT NULL, version varchar, metadata json);
  CREATE FUNCTION notify_event() RETURNS trigger AS $$
    DECLARE
      data json;
    BEGIN
      IF (TG_OP = 'DELETE') THEN data = row_to_json(OLD); ELSE data = row_to_json(NEW); END IF;
      PERFORM pg_notify('config', json_build_object('table', TG_TABLE_NAME, 'action', TG_OP, 'data', data)::text);
      RETURN NULL;
    END;
  $$ LANGUAGE plpgsql;
  CREATE TRIGGER config AFTER INSERT OR UPDATE OR DELETE ON settings FOR EACH ROW EXECUTE PROCEDURE notify_event()`
