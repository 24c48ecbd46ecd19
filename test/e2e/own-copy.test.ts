import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const SERVER = `require('node:http').createServer((_, response) => response.end(process.cwd())).listen(process.env.PORT, '127.0.0.1')`

interface Copies {
  readonly rig: Rig
  readonly port: number
  readonly env: {readonly PATH: string}
}

/** A repository whose main copy runs, and a worktree of it. */
async function twoCopies(t: Parameters<typeof openRig>[0]): Promise<Copies> {
  const rig = await openRig(t)
  const port = await freePort()
  const web = {appID: 'web', appDirPath: '.', port, command: ['node', 'server.js']}
  const common = {env: {WEB_URL: `http://localhost:${port}`}}
  await writeWorktrees(rig, {'pillion.yaml': JSON.stringify({version: 1, common, apps: [web]}), 'server.js': SERVER})
  const env = {PATH: await pillionOnPath(rig)}
  await rig.run(['up', '-d'], {folder: 'main', env})
  return {rig, port, env}
}

const SHOWS = 'printf "%s " "$WEB_URL"; pillion url web'

t.test('a command, exec and env see the numbers and the run of their own copy', async t => {
  const {rig, port, env} = await twoCopies(t)
  const run = {folder: 'pr', env}
  const typed = `${SHOWS}; curl -s http://localhost:${port}/`
  const {code, stdout} = await rig.run(['up', '--run', typed], run)
  t.equal(code, 0)
  const [variable = '', url, folder] = stdout.trim().split(/\s+/)
  t.not(variable, `http://localhost:${port}`)
  t.equal(url, variable)
  t.match(folder, /\/pr$/, 'a number in the command is moved, too')
  t.match(await rig.run(['up', '-d'], run), {code: 0})
  const executed = await rig.run(['exec', 'web', '--', 'sh', '-c', SHOWS], run)
  t.equal(executed.stdout.trim(), `${variable} ${variable}`)
  t.match((await rig.run(['env', 'web'], run)).stdout, `WEB_URL=${variable}\n`)
  for (const folder of ['pr', 'main']) t.match(await rig.run(['down'], {folder}), {code: 0})
})

t.test('a command asks the run that started it, where several runs have its folder', async t => {
  const {rig, env} = await twoCopies(t)
  const run = {folder: 'main', env}
  const asked = 'pillion url web; pillion ps -o json | grep -c two; cd /; pillion url web'
  const {code, stdout, stderr} = await rig.run(['up', '--name', 'two', '--run', asked], run)
  t.equal(code, 0, stderr)
  const [url, count, elsewhere] = stdout.trim().split('\n')
  t.match(url, /^http:/)
  t.equal(elsewhere, url)
  t.match(count, /^[1-9]/)
  t.match(await rig.run(['exec', 'web', '--', 'sh', '-c', 'pillion url web'], run), {code: 0})
  t.match(await rig.run(['down'], {folder: 'main'}), {code: 0})
})

/** A PATH on which `pillion` is the built program. */
async function pillionOnPath(rig: Rig): Promise<string> {
  await rig.write({'bin/.keep': ''})
  const program = join(process.cwd(), 'bin/pillion.js')
  writeFileSync(join(rig.folder, 'bin/pillion'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755
  })
  return `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`
}
