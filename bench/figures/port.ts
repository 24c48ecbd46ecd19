import {once} from 'node:events'
import {createServer, connect, type AddressInfo, type Socket} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {PeerVariable} from '../../src/platform/peer-variable.ts'
import {residentMegabytes} from '../../test/rig/usage.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure, type Measure, type Scale} from '../figure.ts'
import {load} from '../load.ts'
import {startNginx} from '../nginx.ts'
import {echoServer, freePorts, isInstalled, withRig} from '../tools.ts'

const CONNECTIONS = 10_000
const PROCESSES = 400
/** Connections of the process whose look-up is measured. */
const LOOKED_UP = 50

/** Long enough for an idle run to give back what it has used. */
const CALM_MS = 8000

/** A relay that only copies bytes between two connections: what carrying them costs in Node before any is read. */
const relayOf = (to: number): string => `
const {connect, createServer} = require('node:net')
const server = createServer({noDelay: true}, caller => {
  const callee = connect({port: ${to}, host: '127.0.0.1', noDelay: true})
  for (const [from, to] of [[caller, callee], [callee, caller]]) from.on('error', () => to.destroy()).pipe(to)
})
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port))
`

/**
 * Calls at the plain port of an app, beside nginx before the same app and a relay of bytes; what connections cost; how long the search for a
 * caller takes.
 */
export const port: Figure = {
  name: 'port',
  needs: ['go', 'wrk'],
  measure: async scale => [...(await withRig(async rig => callsAt(rig, scale))), ...(await withRig(lookUps))]
}

/** With many connections, and with one. */
async function round(at: number, length: number) {
  const url = `http://127.0.0.1:${at}/plain`
  const many = await load({url, connections: 32, seconds: length})
  const single = await load({url, connections: 1, seconds: length})
  return {calls: many.perSecond, p50: single.p50}
}

async function callsAt(rig: Rig, {rounds, seconds}: Scale): Promise<readonly Measure[]> {
  const [published = 0, appPort = 0] = await freePorts(2)
  const app = {appID: 'callee', appDirPath: '.', port: published, appPort, command: [await echoServer()]}
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, apps: [app]})})
  const program = rig.pillion(['run', '-f', '.'])
  await program.ports('callee')
  const relay = rig.start([process.execPath, '-e', relayOf(appPort)])
  const [, relayPort] = (await relay.waitForLine(/^port (\d+)$/)).split(' ')
  const peers = {
    ...(isInstalled('nginx') && {nginx: (await startNginx(rig, appPort)).port}),
    'Node, relay of bytes': Number(relayPort)
  }
  const all = async (length: number) => {
    const found = new Map<string, Awaited<ReturnType<typeof round>>>()
    for (const [name, at] of Object.entries({'': published, ...peers})) found.set(name, await round(at, length))
    return found
  }
  await all(1)
  const results = await inRounds(rounds, async () => all(seconds))
  const valuesOf = (peer: string, name: 'calls' | 'p50'): readonly number[] =>
    results.flatMap(each => each.get(peer)?.[name] ?? [])
  const rows = (name: 'calls' | 'p50', unit: Measure['unit']): readonly Measure[] =>
    ['nginx', 'Node, relay of bytes'].map(peerName => ({
      name: `port: ${name}` as const,
      unit,
      ours: valuesOf('', name),
      peer: valuesOf(peerName, name),
      peerName
    }))
  const megabytes = await memoryOf(program.pid, published)
  return [...rows('calls', '/s'), ...rows('p50', 'µs'), alone('10,000 connections, memory', 'MB', [megabytes])]
}

const alone = (
  name: '10,000 connections, memory' | `${'caller' | 'outside'}, 400 processes`,
  unit: Measure['unit'],
  ours: readonly number[]
): Measure => ({name: `port: ${name}`, unit, ours, peer: [], peerName: ''})

/** What connections take that have had one call each, and wait for the next one. */
async function memoryOf(pid: number, at: number): Promise<number> {
  await pause(CALM_MS)
  const before = await residentMegabytes(pid)
  const sockets: Socket[] = []
  while (sockets.length < CONNECTIONS) {
    const some = Array.from({length: 100}, () => connect(at, '127.0.0.1'))
    sockets.push(...some)
    await Promise.all(
      some.map(async socket => {
        socket.write('GET /plain HTTP/1.1\r\nHost: a\r\n\r\n')
        await once(socket, 'data')
      })
    )
  }
  await pause(CALM_MS)
  const after = await residentMegabytes(pid)
  for (const socket of sockets) socket.destroy()
  return after - before
}

/** The CPU time of the search for who has connected, among many processes: one that has the variable, and one that has not. */
async function lookUps(rig: Rig): Promise<readonly Measure[]> {
  rig.start(['sh', '-c', `i=0; while [ $i -lt ${PROCESSES} ]; do sleep 1000 & i=$((i+1)); done; echo begun; wait`])
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port: at} = server.address() as AddressInfo
  const code = `for (let i = 0; i < ${LOOKED_UP}; i++) require('net').connect(${at}, '127.0.0.1').on('error', () => {})`
  const timesOf = async (env: Readonly<Record<string, string>>): Promise<readonly number[]> => {
    const sockets: Socket[] = []
    const accept = (socket: Socket): void => void sockets.push(socket.on('error', () => undefined))
    server.on('connection', accept)
    rig.start([process.execPath, '-e', code], {env})
    while (sockets.length < LOOKED_UP) await once(server, 'connection')
    server.off('connection', accept)
    const markers = new PeerVariable('PILLION_LIFE')
    return sockets.map(socket => {
      const from = process.cpuUsage()
      const found = markers.of(socket)
      const {user, system} = process.cpuUsage(from)
      if (found !== (env['PILLION_LIFE'] ?? '')) throw new Error(`the caller was taken for "${found}"`)
      return user + system
    })
  }
  const measures = [
    alone('caller, 400 processes', 'µs', await timesOf({PILLION_LIFE: 'mine'})),
    alone('outside, 400 processes', 'µs', await timesOf({}))
  ]
  server.close()
  return measures
}
