import {withNames} from '../../test/rig/by-name.ts'
import {callRounds, type Target} from '../call-rounds.ts'
import type {Figure} from '../figure.ts'
import {startNginx, tlsFiles} from '../nginx.ts'
import {startPortless} from '../portless.ts'
import {echoServer, freePorts, isInstalled, withRig} from '../tools.ts'

const at = (port: number): Target => ({url: `http://127.0.0.1:${port}/plain`})

const byName = (port: number): Target => ({url: `https://callee-bench.localhost:${port}/plain`, address: '127.0.0.1'})

export const port: Figure = {
  name: 'port',
  title: 'Calls at a port and by name',
  what: 'The same calls at the `port` of the app, and by `https://callee-bench.localhost`, both passed on unchanged. nginx adds no headers; by name it and portless have a certificate of the same kind, and TLS 1.3.',
  needs: ['go', 'wrk', 'openssl'],
  measure: async scale =>
    withRig(async rig => {
      const [entrance = 0, published = 0, appPort = 0] = await freePorts(3)
      const app = {appID: 'callee', appDirPath: '.', port: published, appPort, command: [await echoServer()]}
      await rig.write({'dapr.yaml': JSON.stringify({version: 1, name: 'bench', apps: [app]})})
      const env = {...withNames(entrance), XDG_STATE_HOME: rig.folder, PATH: rig.folder}
      const trust = await rig.run(['trust', '--yes'], {env})
      if (trust.code !== 0) throw new Error(trust.stderr)
      const program = rig.pillion(['run', '-f', '.'], {env})
      await program.ports('callee')
      const hasNginx = isInstalled('nginx')
      const tls = await tlsFiles(rig)
      const plain = hasNginx ? await startNginx(rig, appPort) : undefined
      const secure = hasNginx ? await startNginx(rig, appPort, {tls}) : undefined
      const portless = await startPortless(rig, 'callee-bench', appPort, tls)
      const ports = await callRounds(
        scale,
        'calls at a port',
        new Map([
          ['ours', at(published)],
          ['nginx', plain && at(plain.port)]
        ])
      )
      const names = await callRounds(
        scale,
        'calls by name',
        new Map([
          ['ours', byName(entrance)],
          ['nginx', secure && byName(secure.port)],
          ['portless', portless && byName(portless.port)]
        ])
      )
      program.signal('SIGTERM')
      await program.exited
      return [...ports.measures, ...names.measures]
    })
}
