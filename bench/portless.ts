import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import type {Rig} from '../test/rig/rig.ts'
import type {TlsFiles} from './nginx.ts'
import {peer} from './peers.ts'
import {freePorts} from './tools.ts'

/** Starts portless with a certificate and one name for an app. Returns its port. Undefined: portless cannot be fetched. */
export async function startPortless(
  rig: Rig,
  name: string,
  appPort: number,
  {certificate, key}: TlsFiles
): Promise<{readonly port: number} | undefined> {
  const command = await peer('portless')
  if (command === undefined) return undefined
  const [port = 0] = await freePorts(1)
  const state = join(rig.folder, 'portless')
  mkdirSync(state)
  // it adds names to /etc/hosts by default
  const env = {HOME: state, PORTLESS_STATE_DIR: state, PORTLESS_SYNC_HOSTS: '0'}
  const flags = ['--foreground', '-p', port.toString(), '--cert', certificate, '--key', key]
  const proxy = rig.start([...command, 'proxy', 'start', ...flags], {env})
  await proxy.waitForLine(/HTTPS.* proxy listening on (port|127)/)
  await rig.start([...command, 'alias', name, appPort.toString()], {env}).exited
  return {port}
}
