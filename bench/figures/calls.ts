import type {Rig} from '../../test/rig/rig.ts'
import {callRounds, type Target, type Targets} from '../call-rounds.ts'
import type {Figure} from '../figure.ts'
import {daprd, startDaprdPair} from '../lanes.ts'
import {startNginx} from '../nginx.ts'
import {echoServer, freePorts, isInstalled, withRig} from '../tools.ts'

export const calls: Figure = {
  name: 'calls',
  title: 'Calls between two apps',
  what: '`wrk` sends a POST of 13 bytes on 32 connections, and on one, to the sidecar of an app for another one: a small Go server that answers with its body, and checks each call for all headers that Dapr adds. nginx has one worker, kept connections and no access log. It adds the same headers, and the server checks them, too.',
  needs: ['go', 'wrk'],
  measure: async scale =>
    withRig(async rig => {
      const [callerPort = 0, port = 0] = await freePorts(2)
      const command = [await echoServer()]
      await rig.template([
        {appID: 'caller', appPort: callerPort, command},
        {appID: 'callee', appPort: port, command, env: {EXPECT_CALLER: 'caller'}}
      ])
      const program = rig.pillion(['run', '-f', '.'])
      const {http} = await program.ports('caller')
      const ours = `http://127.0.0.1:${http}/v1.0/invoke/callee/method/echo`
      const answer = await fetch(ours, {method: 'POST', body: 'once'})
      if ((await answer.text()) !== 'once' || !answer.headers.has('traceparent')) throw new Error('a wrong answer')
      const {measures, requests} = await callRounds(scale, 'calls', await targetsAt(rig, ours, port))
      await checkHeaders(port, requests)
      program.signal('SIGTERM')
      await program.exited
      return measures
    })
}

const at = (port: number, path = '/plain'): Target => ({url: `http://127.0.0.1:${port}${path}`})

async function targetsAt(rig: Rig, ours: string, port: number): Promise<Targets> {
  const dapr = daprd()
  const nginx = isInstalled('nginx') ? await startNginx(rig, port, {hasHeaders: true}) : undefined
  return new Map([
    ['ours', {url: ours}],
    ['nginx', nginx && at(nginx.port, '/echo')],
    ['direct', at(port)],
    [
      'daprd',
      dapr === undefined
        ? undefined
        : at(await startDaprdPair(rig, dapr, port), '/v1.0/invoke/daprd-callee/method/plain')
    ]
  ])
}

/** Throws if calls did not reach the app, or lacked headers. */
async function checkHeaders(port: number, expected: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/counts`)
  const {calls: seen, lacking} = ((await answer.json()) as Record<'/echo', {calls: number; lacking: number}>)['/echo']
  if (seen < expected) throw new Error(`${expected} answers, but the app saw ${seen} calls`)
  if (lacking > 0) throw new Error(`${lacking} of ${seen} calls lacked headers`)
}
