import {cpSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {parse} from 'yaml'
import {freePort} from '../rig/free-port.ts'
import {blocksOf, commandsIn} from '../rig/page.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {inShell} from './shown.ts'

/** The block of a page that begins so. */
function block(page: string, begins: string): string {
  const found = blocksOf(page).find(({text}) => text.startsWith(begins))
  if (found === undefined) throw new Error(`${page} has no block that begins with ${begins}`)
  return found.text
}

/** Runs the commands of a page's block up to the one that starts the run, which is returned. */
async function asThePageSays(t: Test, rig: Rig, page: string): Promise<Program> {
  const commands = commandsIn({page, language: '', text: block(page, 'pillion import')})
  for (const command of commands.slice(0, -1)) {
    const program = inShell(rig, command)
    program.stdin.end()
    t.match(await program.exited, {code: 0}, `${command}: ${program.stdout.text}${program.stderr.text}`)
  }
  return inShell(rig, commands.at(-1) ?? '')
}

t.test('a Procfile: imported, it runs, and its calls are carried without a change of code', async t => {
  const rig = await openRig(t)
  cpSync(join(import.meta.dirname, '../../examples/procfile'), rig.folder, {recursive: true})
  const page = 'docs/from-a-procfile.md'
  t.equal(await readFile(join(rig.folder, 'Procfile'), 'utf8'), block(page, 'web: node'))
  const [web, api] = [await freePort(), await freePort()]
  // the page has foreman's ports, which another test may have
  await rig.write({
    '.env': `API=http://localhost:${api}/\n`,
    Procfile: `web: PORT=${web} node web.mjs\napi: PORT=${api} node api.mjs\n`
  })
  const run = await asThePageSays(t, rig, page)
  await run.waitForLine('== APP - api == 3 kinds are in season')
  const ask = async (): Promise<string> => (await fetch(`http://localhost:${web}`)).text()
  t.equal(await ask(), 'in season: apples, pears, quinces\n')

  const change = async (name: string, from: string | RegExp, to: string): Promise<void> => {
    const file = join(rig.folder, name)
    const text = await readFile(file, 'utf8')
    t.match(text, from)
    await writeFile(file, text.replace(from, to))
  }
  await change('api.mjs', 'quinces', 'medlars')
  await run.waitForLine('api: reloaded')
  t.equal(await ask(), 'in season: apples, pears, medlars\n')
  const {stdout} = await rig.run(['calls'])
  t.match(stdout, /outside → web +GET \/ +200/)
  t.match(stdout, /web → api +GET \/ +200/)
  t.match(await rig.run(['down']), {code: 0})
})

t.test('a compose file becomes the template of the page', async t => {
  const rig = await openRig(t)
  const page = 'docs/from-compose.md'
  await rig.write({
    'shop/compose.yaml': block(page, '# compose.yaml'),
    'shop/shop/Dockerfile': 'FROM node:24\nCMD ["node", "app.mjs"]\n',
    'shop/shop/app.mjs': ''
  })
  t.match(await rig.run(['import'], {folder: 'shop'}), {code: 0})
  t.same(
    parse(await readFile(join(rig.folder, 'shop/pillion.yaml'), 'utf8')),
    parse(block(page, '# pillion.yaml')),
    'what import writes is what the page shows'
  )
  t.match(await rig.run(['validate'], {folder: 'shop'}), {code: 0})
})

t.test('a component takes what differs from the environment; without it the line is named', async t => {
  const rig = await openRig(t)
  const text = block('docs/coming-from-dapr.md', '# resources/store.yaml')
  // a file of SQLite in the place of a server: both have a connectionString
  await rig.write({'resources/store.yaml': text.replace('state.postgresql', 'state.sqlite')})
  await rig.template([{appID: 'shop', command: ['sleep', '600']}], {resourcesPath: './resources'})
  const bare = rig.pillion(['up'])
  await bare.waitForLine(/resources\/store\.yaml:9:40/, {stream: 'stderr'})
  t.match(await bare.exited, {code: 1})
  const run = rig.pillion(['up'], {env: {STORE_URL: join(rig.folder, 'store.db')}})
  await run.waitForLine('Started Dapr with app id "shop"')
  const {http} = await run.ports('shop')
  const store = `http://localhost:${http}/v1.0/state/store`
  t.equal((await fetch(store, {method: 'POST', body: '[{"key": "a", "value": 1}]'})).status, 204)
  t.equal(await (await fetch(`${store}/a`)).text(), '1')
  t.match(await rig.run(['down']), {code: 0})
})
