import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

type Run = ReturnType<Rig['pillion']>

/** Answers with its run. */
const API = `require('node:http').createServer((_, response) => response.end(process.cwd() + ' ' + process.env.PILLION_RUN)).listen(process.env.PORT)`

/** Calls the number in its code, each time over a new connection. */
const webOf = (api: number): string => `
const http = require('node:http')
http.createServer((request, response) => {
  const failed = error => response.end(error.code)
  http.get('http://localhost:${api}/', {agent: false}, answer => answer.pipe(response)).on('error', failed)
}).listen(process.env.PORT)
`

interface Shop {
  readonly rig: Rig
  readonly api: number
  /** Starts a copy: its folder, and its name if it has one. */
  readonly start: (folder: string, name?: string) => Promise<Run>
  /** What `web` of a copy gets at the number in its code. */
  readonly ask: (folder: string, name?: string) => Promise<string>
}

/** A template with numbers, in the main working tree and in two worktrees. */
async function openShop(t: Test): Promise<Shop> {
  const rig = await openRig(t)
  const [web, api] = [await freePort(), await freePort()]
  const apps = [
    {id: 'web', dir: '.', command: ['node', 'web.js'], port: web},
    {id: 'api', dir: '.', command: ['node', 'api.js'], port: api}
  ]
  const files = {'web.js': webOf(api), 'api.js': API, 'pillion.yaml': JSON.stringify({version: 1, apps})}
  await writeWorktrees(rig, files, ['pr', 'fix'])
  const urls = new Map<string, string>()
  return {
    rig,
    api,
    start: async (folder, name) => {
      const run = rig.pillion(['up', ...(name === undefined ? [] : ['--name', name])], {folder})
      const [line] = await Promise.all([run.stdout.line(/web ready at/), run.stdout.line(/api ready at/)])
      urls.set(`${folder} ${name}`, /http:\S+/.exec(line)?.[0] ?? '')
      return run
    },
    ask: async (folder, name) => (await fetch(urls.get(`${folder} ${name}`) ?? '')).text()
  }
}

/** A run reports that it has this number of the template. */
const takes = (number: number): RegExp => new RegExp(`no other copy listens at .*\\b${number} .*: this run answers`)

t.test('a number in the code of an app is its own copy, also when the copy that had the numbers ends', async t => {
  const {rig, api, start, ask} = await openShop(t)
  const main = await start('main')
  const copies = {pr: await start('pr'), fix: await start('fix')}
  const each = async (folders = ['main', 'pr', 'fix']): Promise<void> => {
    for (const folder of folders) t.match(await ask(folder), new RegExp(`/${folder} `))
  }
  await each()
  t.notMatch(copies.pr.stderr.text, /calls the other copy|numbers in files/)
  const typed = ['exec', '--here', '--', 'curl', '-s', `localhost:${api}`]
  t.match((await rig.run(typed, {folder: 'pr'})).stdout, /\/pr /, 'a command')
  const taken: ('pr' | 'fix')[] = []
  const oneTakes = async (): Promise<void> => {
    const take = async (name: 'pr' | 'fix'): Promise<'pr' | 'fix'> => {
      const nth = taken.filter(each => each === name).length + 1
      const line = copies[name].stderr.line(takes(api), {nth})
      // the other one may end without the line
      return line.then(() => name).catch(async () => new Promise(() => undefined))
    }
    taken.push(await Promise.race([take('pr'), take('fix')]))
  }
  main.signal('SIGINT')
  await oneTakes()
  await main.exited
  await each(['pr', 'fix'])
  const body = await (await fetch(`http://localhost:${api}/`)).text()
  t.match(body, `/${taken[0]} `, 'a person gets the copy that has it')
  t.match((await rig.run(['calls', '-o', 'json'], {folder: 'pr'})).stdout, /"from":"web","to":"api"/)

  const again = await start('main')
  t.notMatch(again.stderr.text, /other ports/, 'main has the numbers of the template again')
  await each()
  t.match(await (await fetch(`http://localhost:${api}/`)).text(), /\/main /)
  again.signal('SIGKILL')
  await oneTakes()
  await each(['pr', 'fix'])
  const [, holder = 'pr'] = taken
  const left = holder === 'pr' ? 'fix' : 'pr'
  copies[holder].signal('SIGINT')
  await oneTakes()
  await each([left])
})

t.test('a copy answers at the numbers of main as soon as main begins to stop', async t => {
  const {rig, api, start} = await openShop(t)
  const slow = `process.on('SIGTERM', () => setInterval(() => require('node:fs').existsSync('go') && process.exit(), 20));${API}`
  await rig.write({'main/api.js': slow})
  const [main, pr] = [await start('main'), await start('pr')]
  main.signal('SIGTERM')
  await pr.stderr.line(takes(api))
  t.match(await (await fetch(`http://localhost:${api}/`)).text(), /\/pr /)
  await rig.write({'main/go': ''})
  t.match(await main.exited, {code: 0})
})

t.test('two runs of one folder: the one that is left has the numbers', async t => {
  const {api, start, ask} = await openShop(t)
  const first = await start('main')
  const two = await start('main', 'two')
  const home = await ask('main', 'two')
  t.not(home, await ask('main'))
  first.signal('SIGTERM')
  await two.stderr.line(takes(api))
  t.equal(await ask('main', 'two'), home)
})

t.test('a number that an edit adds to a copy is answered by it, too, until another edit removes it', async t => {
  const {rig, api, start} = await openShop(t)
  const [more, main] = [await freePort(), await start('main')]
  const pr = rig.pillion(['up', '--watch'], {folder: 'pr'})
  await pr.stdout.line(/api ready at/)
  main.signal('SIGTERM')
  await pr.stderr.line(takes(api))
  const written = JSON.parse(readFileSync(join(rig.folder, 'pr/pillion.yaml'), 'utf8')) as {apps: readonly object[]}
  const app = {id: 'more', dir: '.', command: ['node', 'api.js'], port: more}
  await rig.write({'pr/pillion.yaml': JSON.stringify({...written, apps: [...written.apps, app]})})
  await pr.stderr.line(takes(more))
  t.match(await (await fetch(`http://localhost:${more}/`)).text(), /\/pr /)
  await rig.write({'pr/pillion.yaml': JSON.stringify(written)})
  while (
    await fetch(`http://localhost:${more}/`).then(
      () => true,
      () => false
    )
  );
  t.match(await (await fetch(`http://localhost:${api}/`)).text(), /\/pr /, 'other numbers stay')
})
