import {setTimeout as pause} from 'node:timers/promises'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {parse} from 'yaml'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** The number stands in the code of both, as in containers. */
const WEB = (inside: number): string => `
const http = require('http')
http.createServer(async ({url}, response) => {
  const answer = await fetch(process.env.API + url)
  response.end(answer.status + ' ' + (await answer.text()))
}).listen(${inside})
`
const API = (inside: number): string => `
const http = require('http')
http.createServer(({url}, response) => {
  if (url === '/die') process.exit(3)
  response.end('first')
}).listen(${inside})
`
const dockerfile = (file: string): string => `FROM node:24\nCOPY . .\nCMD ["node", "${file}"]\n`

t.test('a compose project runs: a save loses no call, a fault hits its edge, why names the last call', async t => {
  const rig = await openRig(t)
  const [inside, published] = [await freePort(), await freePort()]
  await rig.write({
    'compose.yaml': JSON.stringify({
      services: {
        web: {
          build: './web',
          ports: [`${published}:${inside}`],
          environment: {API: `http://api:${inside}`},
          depends_on: ['api']
        },
        api: {build: './api'}
      }
    }),
    'web/Dockerfile': dockerfile('web.js'),
    'web/web.js': WEB(inside),
    'api/Dockerfile': dockerfile('api.js'),
    'api/api.js': API(inside)
  })
  t.match(await rig.run(['import']), {code: 0})
  const {apps} = parse(await readFile(join(rig.folder, 'pillion.yaml'), 'utf8')) as {apps: readonly object[]}
  t.match(apps, [
    {id: 'web', port: published, fixedPort: inside},
    {id: 'api', port: inside}
  ])
  const run = rig.pillion(['up', '--watch'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const ask = async (path = '/'): Promise<string> => (await fetch(`http://localhost:${published}${path}`)).text()
  t.equal(await ask(), '200 first')

  const over = new AbortController()
  const seen: string[] = []
  const load = async (): Promise<void> => {
    while (!over.signal.aborted) seen.push(await ask())
  }
  const loads = [load(), load()]
  while (seen.length < 10) await pause(5)
  await rig.write({'api/api.js': API(inside).replace('first', 'second')})
  t.match(await run.waitForLine('api: reloaded'), /, 0 lost$/)
  while (!seen.includes('200 second')) await pause(5)
  over.abort()
  await Promise.all(loads)
  t.same(new Set(seen), new Set(['200 first', '200 second']))

  t.match(await rig.run(['fault', 'web', 'api', '--status', '503']), {code: 0})
  t.match(await ask(), /^503 /)
  t.equal(await (await fetch(`http://localhost:${inside}/`)).text(), 'second', 'who is not web gets through')
  t.match(await rig.run(['fault', '--off', 'all']), {code: 0})

  t.match(await ask('/die'), /^502 "api" has not answered properly: .*exited with code 3/)
  await run.waitForLine('exited with code 3', {stream: 'stderr'})
  const {stdout} = await rig.run(['why', 'api'])
  t.match(stdout, /GET \/die/)
  t.match(stdout, /web/)
})
