import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers with its folder. */
const API = `
import {basename} from 'node:path'
import http from 'node:http'
http.createServer((request, response) => response.end('api of ' + basename(process.cwd()))).listen(process.env.PORT)
`

/** Calls a number that stands in its code, over connections that stay. */
const webOf = (api: number): string => `
import http from 'node:http'
const agent = new http.Agent({keepAlive: true})
http.createServer((request, response) => {
  const failed = error => response.end('failed: ' + error.message)
  http.get('http://localhost:${api}/', {agent}, answer => answer.pipe(response)).on('error', failed)
}).listen(process.env.PORT)
`

/** The body of a call of `web`, at the number that the run of a folder has for it. */
async function askWeb(rig: Rig, folder: string): Promise<string> {
  const {stdout} = await rig.run(['url', 'web'], {folder})
  return (await fetch(stdout.trim())).text()
}

t.test('a number in the code of an app reaches the app of its own copy, whichever copy has the number', async t => {
  const rig = await openRig(t)
  const [web, api] = [await freePort(), await freePort()]
  const apps = [
    {id: 'web', dir: './web', command: ['node', 'web.mjs'], port: web},
    {id: 'api', dir: '.', command: ['node', 'api.mjs'], port: api}
  ]
  const files = {
    'web/web.mjs': webOf(api),
    'api.mjs': API,
    'pillion.yaml': JSON.stringify({version: 1, apps})
  }
  await writeWorktrees(rig, files)
  const start = async (folder: string): Promise<ReturnType<Rig['pillion']>> => {
    const run = rig.pillion(['up'], {folder})
    await rig.run(['wait', '--for', 'ready'], {folder})
    return run
  }
  const main = await start('main')
  t.equal(await askWeb(rig, 'main'), 'api of main')
  const pr = await start('pr')
  t.equal(await askWeb(rig, 'pr'), 'api of pr', 'while main has the number')
  t.equal(await askWeb(rig, 'main'), 'api of main')
  t.notMatch(pr.stderr.text, /calls the other copy|numbers in files/)

  const {stdout: here} = await rig.run(['calls', '-o', 'json'], {folder: 'pr'})
  t.match(here, /"from":"web","to":"api"/, 'the copy records the call with its caller')
  t.match(
    (await rig.run(['exec', '--here', '--', 'curl', '-s', `localhost:${api}`], {folder: 'pr'})).stdout,
    'api of pr'
  )

  main.signal('SIGINT')
  await main.exited
  const again = await start('main')
  t.equal(await askWeb(rig, 'pr'), 'api of pr', 'after a new start of main')
  t.equal(await askWeb(rig, 'main'), 'api of main')

  pr.signal('SIGINT')
  await pr.exited
  t.equal(await askWeb(rig, 'main'), 'api of main', 'without the copy')
  again.signal('SIGINT')
  await again.exited
})
